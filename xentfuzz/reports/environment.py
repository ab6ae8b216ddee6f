"""Where a report's figures come from: versions, and the hardware that decides times; nothing that names a host, a user or a folder."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from xentfuzz.environment import environment as versions


def environment() -> dict[str, Any]:
    """Versions as in every record, the CPU's model, and the models of NVIDIA GPUs where there are any."""
    found: dict[str, Any] = {**versions(), "cpu": _cpu_model()}
    gpus = _gpu_models()
    return found | ({"gpus": gpus} if gpus else {})


def _cpu_model() -> str:
    return _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()


def _gpu_models() -> list[str]:
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return [model for card in cards if (model := _field(card, "Model"))]


def _field(path: Path, name: str) -> str:
    """The value of the first line `name: value` in a file of /proc, "" where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")
