"""The project's table: loss, and loss with gradient, as shares of the bandwidth measured in this run, and against torch eager."""

from __future__ import annotations

import gc
import statistics

import torch
from torch.nn import functional

from gpu.machine import clocks
from gpu.support import DTYPES, GPU, bandwidth, batches, gpu_seconds, say, wall_seconds, write
from xentfuzz.impls import numba_cuda

TABLE = [(8192, 32000), (4096, 128256), (65536, 1000), (16, 262144)]
FORMATS = ("float32", "bfloat16")
# (rows, classes), share of the read bandwidth for the loss, of the copy bandwidth with gradient, times as fast as eager, as compiled.
WANTED = {(8192, 32000): (0.85, 0.80, 3.0, 1.2), (4096, 128256): (0.85, 0.80, 3.0, 1.2), (65536, 1000): (0.70, 0.65, 2.0, 1.0)}
FEW_ROWS = (0.50, 0.50, 2.0, 1.0)


def shapes():
    return [(shape, dtype) for shape in (TABLE if GPU else [(6, 40), (3, 129)]) for dtype in FORMATS]


def ours_loss(logits, target):
    return numba_cuda.cross_entropy(logits, target, check=False)


def ours_both(logits, target):
    return numba_cuda.cross_entropy_value_and_grad(logits, target, check=False)


def ours_checked(logits, target):
    return numba_cuda.cross_entropy(logits, target)


def eager_loss(logits, target):
    return functional.cross_entropy(logits, target)


def eager_both(logits, target):
    logits = logits.detach().requires_grad_()
    loss = functional.cross_entropy(logits, target)
    return loss, torch.autograd.grad(loss, logits)[0]


def timed(function, inputs, rounds=12):
    times = gpu_seconds(function, inputs, rounds)
    return {
        "gpu_us": statistics.median(times) * 1e6,
        "least_us": min(times) * 1e6,
        "most_us": max(times) * 1e6,
        "wall_us": wall_seconds(function, inputs, rounds) * 1e6,
    }


def moved(rows, classes, dtype, *, gradient):
    """Bytes that have to move: logits read once, the gradient written once, the targets read."""
    return rows * classes * DTYPES[dtype].itemsize * (2 if gradient else 1) + rows * 8


def for_kernels(inputs):
    """The inputs as our kernels take them: in a rehearsal as NumPy arrays."""
    from gpu.support import given

    return [tuple(given(tensor) for tensor in each) for each in inputs]


def main(out):
    found = bandwidth()
    records = {"bandwidth": found, "gpu": clocks(), "rows": []}
    say(out, f"\nbench: read {found['read'] / 1e9:.0f} GB/s, copy {found['copy'] / 1e9:.0f} GB/s; {records['gpu']}")
    say(out, "rows classes dtype what | GPU us (least..most) | wall us | share of bandwidth (wanted) | x eager (wanted)")
    for (rows, classes), dtype in shapes():
        wanted = WANTED.get((rows, classes), FEW_ROWS)
        inputs = batches(rows, classes, dtype)
        for what, ours, eager in (("loss", ours_loss, eager_loss), ("loss+gradient", ours_both, eager_both)):
            gradient = ours is ours_both
            record = {"rows": rows, "classes": classes, "dtype": dtype, "what": what}
            try:
                record["ours"] = timed(ours, for_kernels(inputs))
                if not gradient:
                    record["checked"] = timed(ours_checked, for_kernels(inputs))
                record["eager"] = timed(eager, inputs)
                size = moved(rows, classes, dtype, gradient=gradient)
                record["share"] = size / (record["ours"]["gpu_us"] * 1e-6) / found["copy" if gradient else "read"]
                record["times_eager"] = record["eager"]["gpu_us"] / record["ours"]["gpu_us"]
                mine = record["ours"]
                line = f"{mine['gpu_us']:.1f} ({mine['least_us']:.1f}..{mine['most_us']:.1f}) | {mine['wall_us']:.1f}"
                if not gradient:
                    line += f", checked {record['checked']['wall_us']:.1f}"
                line += f" | {record['share']:.3f} ({wanted[gradient]}) | {record['times_eager']:.2f} ({wanted[2]})"
            except Exception as error:  # noqa: BLE001 - told, and the next one is tried
                record["error"] = repr(error)[-600:]
                line = record["error"]
            records["rows"].append(record)
            say(out, f"{rows} {classes} {dtype} {what} | {line}")
            write(out, "bench", records)
        del inputs
        gc.collect()
    more(out, records)


def more(out, records):
    """Other layouts and options: no target is set for them."""
    plan = [
        ("classes apart", (64, 1000, 1024), "bfloat16", {}),
        ("classes apart", (64, 20, 65536), "float32", {}),
        ("few classes", (4_000_000, 10), "float32", {}),
        ("few classes", (4_000_000, 10), "bfloat16", {}),
        ("smoothing", (8192, 32000), "bfloat16", {"label_smoothing": 0.1}),
        ("float64", (4096, 32000), "float64", {}),
        ("float16", (8192, 32000), "float16", {}),
        ("odd rows", (8192, 32001), "bfloat16", {}),
    ]
    for name, shape, dtype, words in plan if GPU else plan[:0]:
        inputs = []
        for seed in range(2):
            generator = torch.Generator(device="cuda").manual_seed(seed)
            logits = torch.empty(shape, device="cuda", dtype=DTYPES[dtype]).normal_(0, 3, generator=generator)
            inputs.append((logits, torch.randint(0, shape[1], shape[:1] + shape[2:], device="cuda", generator=generator)))
        size = inputs[0][0].numel() * inputs[0][0].element_size()
        for what, gradient in (("loss", False), ("loss+gradient", True)):
            function = numba_cuda.cross_entropy_value_and_grad if gradient else numba_cuda.cross_entropy
            eager = eager_both if gradient else eager_loss
            try:
                mine = timed(lambda x, t, call=function, words=words: call(x, t, check=False, **words), inputs, 6)
                torch_us = timed(eager, inputs, 6)["gpu_us"]
                share = size * (1 + gradient) / (mine["gpu_us"] * 1e-6) / records["bandwidth"]["copy" if gradient else "read"]
                record = {"name": name, "shape": shape, "dtype": dtype, "what": what, "ours": mine, "share": share, "eager_us": torch_us}
                line = f"{mine['gpu_us']:.1f} us, share {share:.3f}, {torch_us / mine['gpu_us']:.2f} x eager"
            except Exception as error:  # noqa: BLE001 - told, and the next one is tried
                record = {"name": name, "shape": shape, "dtype": dtype, "what": what, "error": repr(error)[-600:]}
                line = record["error"]
            records["rows"].append(record)
            say(out, f"{name} {shape} {dtype} {what} | {line}")
            write(out, "bench", records)
        del inputs
        gc.collect()
