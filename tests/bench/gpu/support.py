"""What the stages share: arrays on the GPU, or in the simulator where they rehearse; timing; results written at once."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import ml_dtypes
import numpy as np
import torch

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
UNIT = {"float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11, "float64": 2.0**-53}
# Kept busy for so long, a GPU has a queue before the first call that is timed: then the gaps between launches are not.
_AHEAD_CYCLES = 30_000_000


def given(tensor):
    """A tensor as the kernels take it: itself on a GPU, as a NumPy array in the simulator."""
    if GPU or tensor is None:
        return tensor
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def exact(result):
    """A result of the kernels as a float64 tensor."""
    if isinstance(result, torch.Tensor):
        return result.detach().double()
    return torch.from_numpy(np.asarray(result).astype(np.float64)).to(DEVICE)


def write(out: Path, name: str, records) -> None:
    """Put records under a stage's name into the results, a file that is always whole."""
    path = out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    part = path.with_suffix(".part")
    part.write_text(json.dumps({**results, name: records}, indent=1))
    part.rename(path)


def say(out: Path, line: str) -> None:
    """Add a line to the tables that a person reads."""
    print(line, flush=True)
    with (out / "tables.txt").open("a") as stream:
        stream.write(line + "\n")


def poison(count: int) -> None:
    """Leave NaN in memory that the next allocation is likely to get, so that what is not written shows."""
    if GPU:
        torch.full((max(count, 1),), float("nan"), device=DEVICE)


def gpu_seconds(function, inputs, rounds: int = 12) -> list[float]:
    """Seconds on the GPU of each of `rounds` calls, one set of inputs after the other; of the processor's in a rehearsal."""
    for index in range(2):
        function(*inputs[index % len(inputs)])
    if not GPU:
        return [_timed(function, inputs[0]) for _ in range(2)]
    torch.cuda.synchronize()
    torch.cuda._sleep(_AHEAD_CYCLES)
    marks = []
    for index in range(rounds):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        function(*inputs[index % len(inputs)])
        end.record()
        marks.append((start, end))
    torch.cuda.synchronize()
    return [start.elapsed_time(end) * 1e-3 for start, end in marks]


def wall_seconds(function, inputs, rounds: int = 12) -> float:
    """Seconds of a call as a program sees it that waits only after the last."""
    function(*inputs[0])
    _synchronize()
    began = time.perf_counter()
    for index in range(rounds):
        function(*inputs[index % len(inputs)])
    _synchronize()
    return (time.perf_counter() - began) / rounds


def _synchronize() -> None:
    if GPU:
        torch.cuda.synchronize()


def _timed(function, arguments) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def median_us(function, inputs, rounds: int = 12) -> float:
    return statistics.median(gpu_seconds(function, inputs, rounds)) * 1e6


def batches(rows: int, classes: int, dtype: str):
    """Sets of logits and targets that together are beyond any cache."""
    size = rows * classes * DTYPES[dtype].itemsize
    count = max(2, min(24, -(-400_000_000 // size))) if GPU else 1
    generator = torch.Generator(device=DEVICE).manual_seed(rows + classes)
    sets = []
    for _ in range(count):
        logits = torch.randn((rows, classes), generator=generator, device=DEVICE, dtype=torch.float32).mul_(3).to(DTYPES[dtype])
        target = torch.randint(0, classes, (rows,), generator=generator, device=DEVICE)
        sets.append((logits, target))
    return sets


def bandwidth() -> dict[str, float]:
    """Bytes per second of a plain read (the best of several reductions) and a plain copy (bytes read and written), beyond the cache."""
    count = (1 << 30) if GPU else (1 << 12)
    source = torch.randint(-1000, 1000, (count // 4,), device=DEVICE, dtype=torch.int32)
    floats = source.view(torch.float32)
    target, row = torch.empty_like(source), 4096 if GPU else 32
    reads = {
        "sum of float32": lambda: torch.sum(floats),
        "maximum of int32": lambda: torch.amax(source),
        "sum of rows of float32": lambda: torch.sum(floats.view(-1, row), dim=1),
        "sum of columns of float32": lambda: torch.sum(floats.view(row, -1), dim=0),
    }
    found = {name: count / (median_us(read, [()]) * 1e-6) for name, read in reads.items()}
    copied = 2 * count / (median_us(lambda: target.copy_(source), [()]) * 1e-6)
    return {"read": max(found.values()), "copy": copied, **found}
