"""What machine this is, and whether kernels can be compiled and run here at all."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version

from gpu.support import GPU, bandwidth, say, write

PACKAGES = (
    "torch",
    "triton",
    "numba",
    "numba-cuda",
    "llvmlite",
    "numpy",
    "cupy-cuda13x",
    "ml-dtypes",
    "hypothesis",
    "msgspec",
    "cuda-toolkit",
    "nvidia-nvvm",
)
QUERY = "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,temperature.gpu,power.draw,memory.total"


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def clocks():
    try:
        done = subprocess.run(
            [shutil.which("nvidia-smi") or "nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"],
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        return str(error)
    return done.stdout.strip() or done.stderr.strip()


def compiles():
    """Whether Numba compiles a kernel here: not needed where all of them come compiled."""
    from xentfuzz.impls.numba_cuda.compiler import Specialisation, compile_to_ptx

    began = time.perf_counter()
    try:
        text = compile_to_ptx(Specialisation("total", "float32", 64), (9, 0))
    except Exception as error:  # noqa: BLE001 - told, and the next one is tried
        return f"{type(error).__name__}: {error}"[-800:]
    return f"yes, {len(text)} characters of PTX in {time.perf_counter() - began:.1f} s"


def main(out):
    record = {
        "python": sys.version,
        "system": platform.platform(),
        "gpu": clocks(),
        "packages": {name: _version(name) for name in PACKAGES},
        "kernels kept": os.environ.get("XENTFUZZ_CUDA_CACHE"),
    }
    write(out, "machine", record)
    say(out, f"{record['gpu']}; {record['packages']}")
    if GPU:
        record["compiles"] = compiles()
        say(out, f"compiling here: {record['compiles']}")
    record["bandwidth"] = bandwidth()
    say(out, "bandwidth, GB/s: " + ", ".join(f"{name} {value / 1e9:.0f}" for name, value in record["bandwidth"].items()))
    record["gpu afterwards"] = clocks()
    write(out, "machine", record)
