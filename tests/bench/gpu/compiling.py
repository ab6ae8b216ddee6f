"""Compile the kernels that later stages run and that did not come compiled, on all processors."""

from __future__ import annotations

import os
import time
from pathlib import Path

import compile_kernels
import torch

from gpu.support import GPU, say


def main(out):
    folder = Path(os.environ["XENTFUZZ_CUDA_CACHE"])
    began, before = time.monotonic(), len(list(folder.glob("*.ptx")))
    if GPU:
        capability = torch.cuda.get_device_capability()
        for _ in compile_kernels.compile_all(capability, load=True):
            pass
    after = len(list(folder.glob("*.ptx")))
    say(out, f"kernels: {before} came compiled, {after - before} compiled here in {time.monotonic() - began:.1f} s")
