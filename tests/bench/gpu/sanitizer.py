"""Every kernel under compute-sanitizer's four tools, on small arrays."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from gpu.support import GPU, say, write

SCRIPT = """
import torch
from xentfuzz.impls import numba_cuda as k
from xentfuzz.impls.numba_cuda import settings
# Copied from the host: what kernels write that are not looked at would pass for memory that is not initialised.
for dtype in (torch.float32, torch.bfloat16):
    for rows, classes in ((5, 37), (40, 1001), (300, 5000), (3, 20003)):
        x = torch.randn((rows, classes)).to(dtype)
        soft, weight = x.float().softmax(1).to(dtype).cuda(), x[0].abs().cuda()
        t = torch.randint(0, classes, (rows,))
        t[0] = -100
        one, narrow = torch.ones((), dtype=dtype).cuda(), t.clamp(max=classes - 2).cuda()
        x, t = x.cuda(), t.cuda()
        k.cross_entropy(x, t)
        k.cross_entropy_value_and_grad(x, t, reduction="none")
        k.cross_entropy_value_and_grad(x[:, 1:], narrow, label_smoothing=0.1)
        k.cross_entropy_backward(one, x, t)
        k.cross_entropy_value_and_grad(x, soft, weight=weight)
        k.nll_loss(x, t)
        k.nll_loss_backward(one, x, t)
        k.softmax(x, axis=0)
        k.log_softmax_backward(x, x, axis=1)
    torch.cuda.synchronize()
print("all kernels ran")
"""
# What initcheck has to find something in.
CONTROL = """
import torch
from xentfuzz.impls import numba_cuda as k
k.cross_entropy(torch.empty((40, 5000), device="cuda"), torch.zeros(40, dtype=torch.int64).cuda(), label_smoothing=0.1)
torch.cuda.synchronize()
"""
SECONDS = 80  # for all of them, which run side by side
TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")


def main(out):
    found = shutil.which("compute-sanitizer") or next(iter(map(str, Path("/usr/local").glob("cuda*/bin/compute-sanitizer"))), None)
    if not GPU:
        return
    if found is None:
        say(out, "sanitizer: compute-sanitizer is not installed")
        return
    running = {
        name: subprocess.Popen(
            [found, "--tool", tool, "--kernel-name", "kns=numba_cuda", sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, tool, script in (*((tool, tool, SCRIPT) for tool in TOOLS), ("initcheck, control", "initcheck", CONTROL))
    }
    records, end = {}, time.monotonic() + SECONDS
    for tool, process in running.items():
        try:
            text, _ = process.communicate(timeout=max(end - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0] + "\nout of time"
        records[tool] = text[-4000:]
        say(out, f"sanitizer {tool}: " + " / ".join(line for line in text.splitlines() if line.strip())[-400:])
        write(out, "sanitizer", records)
