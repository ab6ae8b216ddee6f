"""Compile the kernels that later stages run and that did not come compiled, on all processors."""

from __future__ import annotations

import os
import time
from pathlib import Path

import compile_kernels
import torch

from gpu.support import GPU, say

SECONDS = 45.0


def main(out):
    folder = Path(os.environ["XENTFUZZ_CUDA_CACHE"])
    began, before = time.monotonic(), len(list(folder.glob("*.ptx")))
    if GPU:
        for line in compile_kernels.compile_all(torch.cuda.get_device_capability(), load=True, seconds=SECONDS):
            if line.startswith("FAILED"):
                say(out, line)
    after = len(list(folder.glob("*.ptx")))
    say(out, f"kernels: {before} came compiled, {after - before} compiled here in {time.monotonic() - began:.1f} s")
