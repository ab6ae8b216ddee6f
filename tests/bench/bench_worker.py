"""What a worker costs: a warm call against the same call in process, and the replacement of a worker.

Run it: python tests/bench/bench_worker.py
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.outcome import Call
from xentfuzz.subjects.subject import Subject

ROUNDS, CALLS, REPLACEMENTS = 20, 200, 20


def forward(logits, target):
    return logits[np.arange(len(target)), target].mean()


def milliseconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1e3


def calls(subject: Subject, call: Call) -> None:
    for _ in range(CALLS):
        assert subject.call(call).results is not None


def killed_and_called(subject: Isolated, call: Call) -> None:
    os.kill(subject.worker.process.pid, signal.SIGKILL)
    subject.worker.process.wait()
    subject.call(call)
    assert subject.call(call).results is not None


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    implementation = Implementation("subject", "bench_worker:forward")
    arrays = {"logits": StridedArray.of(np.ones((8, 16), np.float32)), "target": StridedArray.of(np.zeros(8, np.int64))}
    call = Call("forward", arrays, {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0})
    here, there = InProcess(implementation), Isolated(implementation)
    rounds = [(milliseconds(lambda: calls(here, call)), milliseconds(lambda: calls(there, call))) for _ in range(ROUNDS)]
    in_process, isolated = (statistics.median(column) / CALLS for column in zip(*rounds, strict=True))
    print(f"call in process   {in_process:7.3f} ms")
    print(f"call in a worker  {isolated:7.3f} ms   (+{isolated - in_process:.3f} ms; at most 0.5)")
    replaced = statistics.median(milliseconds(lambda: killed_and_called(there, call)) for _ in range(REPLACEMENTS))
    print(f"worker replaced   {replaced:7.1f} ms   (at most 1000)")
    there.close()


if __name__ == "__main__":
    main()
