"""Whether the kernels run on a GPU or in Numba's simulator, which wants NUMBA_ENABLE_CUDASIM=1 before Numba is imported."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

SIMULATOR_VARIABLE = "NUMBA_ENABLE_CUDASIM"


def gpu_present() -> bool:
    """Whether this machine seems to have an NVIDIA GPU; no library is loaded to find out."""
    return any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg")) or shutil.which("nvidia-smi") is not None


SIMULATED = os.environ.get(SIMULATOR_VARIABLE) == "1" or not gpu_present()


def unavailable() -> str | None:
    """Why Numba's CUDA target cannot be used here, or None."""
    if importlib.util.find_spec("numba") is None or importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed; `pip install numba-cuda` brings it"
    return None


def require_device() -> None:
    """Raises RuntimeError where there is neither a GPU nor the simulator."""
    import numba  # noqa: PLC0415 - importing Numba takes half a second

    if SIMULATED and not numba.config.ENABLE_CUDASIM:  # type: ignore[attr-defined]  # set at run time
        raise RuntimeError(f"numba-cuda: no GPU here; set {SIMULATOR_VARIABLE}=1 before numba is imported to use its simulator")
