"""Knobs of the kernels, tried one set after the other on the project's table, to see which set is best where."""

from __future__ import annotations

import gc
import time

from gpu.bench import for_kernels, moved, ours_both, ours_loss, shapes
from gpu.support import GPU, bandwidth, batches, median_us, say, write
from xentfuzz.impls.numba_cuda import settings

LOSS = [
    {"threads": 256, "vectors": 4},
    {"threads": 256, "vectors": 2},
    {"threads": 256, "vectors": 4, "resident": 3},
    {"threads": 256, "vectors": 2, "resident": 4},
    {"threads": 128, "vectors": 4},
    {"threads": 512, "vectors": 4},
    {"threads": 512, "vectors": 2},
    {"threads": 1024, "vectors": 2},
    {"threads": 256, "vectors": 4, "load_hint": ".L1::no_allocate"},
]
BOTH = [
    {"threads": 256, "vectors": 4},
    {"threads": 256, "vectors": 2},
    {"threads": 256, "vectors": 2, "resident": 4},
    {"threads": 512, "vectors": 2},
    {"threads": 512, "vectors": 4},
    {"threads": 1024, "vectors": 2},
    {"threads": 1024, "vectors": 1},
    {"threads": 256, "vectors": 4, "store_hint": ".cs"},
    {"threads": 256, "vectors": 2, "resident": 4, "store_hint": ".cs"},
]
SHARES = [0, 1 << 15, 1 << 16, 1 << 17]
PIECES = [1, 2, 4, 8]
ROUNDS = [1, 2, 4]


def knob_sets(rows, classes, what):
    """The sets worth trying for a shape: how rows are shared matters for long ones, how wide groups are for short ones."""
    for knobs in LOSS if what == "loss" else BOTH:
        if classes <= 4096:
            for rounds in ROUNDS:
                yield {**knobs, "rounds": rounds}
        elif rows < 64:
            for pieces in PIECES:
                yield {**knobs, "pieces": pieces}
        elif what == "loss":
            yield knobs
        else:
            for share in SHARES:
                yield {**knobs, "share": share}


def main(out):
    usual, found, records = settings.current, bandwidth(), []
    began = time.monotonic()
    say(out, "\ntuning: best sets of knobs, GPU us, share of bandwidth")
    for (rows, classes), dtype in shapes():
        inputs = for_kernels(batches(rows, classes, dtype))
        for what, function in (("loss", ours_loss), ("loss+gradient", ours_both)):
            gradient = what != "loss"
            tried = []
            for knobs in knob_sets(rows, classes, what):
                if not GPU and (len(tried) > 1 or knobs["threads"] > 256):
                    continue
                settings.current = usual
                settings.use(**({**knobs, "threads": 2} if not GPU else knobs))
                try:
                    microseconds = median_us(function, inputs, 6)
                except Exception as error:  # noqa: BLE001 - told, and the next one is tried
                    records.append({"rows": rows, "classes": classes, "dtype": dtype, "what": what, **knobs, "error": repr(error)[-400:]})
                    continue
                share = moved(rows, classes, dtype, gradient=gradient) / (microseconds * 1e-6) / found["copy" if gradient else "read"]
                tried.append((microseconds, share, knobs))
                records.append(
                    {"rows": rows, "classes": classes, "dtype": dtype, "what": what, **knobs, "us": microseconds, "share": share}
                )
            tried.sort(key=lambda each: each[0])
            for microseconds, share, knobs in tried[:4]:
                say(out, f"{rows} {classes} {dtype} {what} | {microseconds:.1f} us {share:.3f} {knobs}")
            if len(tried) > 4:
                say(out, f"    worst {tried[-1][0]:.1f} us {tried[-1][1]:.3f} {tried[-1][2]}; {time.monotonic() - began:.0f} s so far")
            write(out, "tuning", records)
        del inputs
        gc.collect()
    settings.current = usual
