"""Knobs of the kernels, tried one set after the other on the project's table, to see which set is best where."""

from __future__ import annotations

import gc

from gpu.bench import for_kernels, moved, ours_both, ours_loss, shapes
from gpu.support import GPU, bandwidth, batches, median_us, say, write
from xentfuzz.impls.numba_cuda import settings

# The usual knobs and, one after the other, what is tried instead of them.
LOSS = [
    {},
    {"threads": 256, "resident": 1},
    {"threads": 256, "vectors": 2, "resident": 4},
    {"threads": 256, "vectors": 4, "resident": 3},
    {"threads": 128, "vectors": 4, "resident": 6},
    {"threads": 128, "vectors": 2, "resident": 8},
    {"waves": 4},
]
BOTH = [
    {"held": 0},
    {},
    {"held": 8, "held_resident": 3},
    {"held": 7, "held_resident": 4},
    {"held": 6, "held_resident": 4},
    {"held": 4, "held_resident": 5},
    {"held_threads": 512, "held": 4, "held_resident": 2},
    {"held_threads": 128, "held": 8, "held_resident": 6},
    {"store_hint": ".cs"},
    {"load_hint": ".L1::no_allocate", "store_hint": ".cs"},
]
SHORT = [
    {},
    {"rounds": 2, "threads": 256, "vectors": 4, "resident": 1},
    {"rounds": 4, "threads": 256, "vectors": 4, "resident": 1},
    {"rounds": 4, "threads": 256, "vectors": 2, "resident": 4},
]
FEW_LOSS = [
    {"held_loss": False},
    {"held_loss": True},
    {"held_loss": True, "held": 4, "held_resident": 5},
    {"held_loss": True, "held_threads": 512, "held": 4, "held_resident": 2},
]
FEW_BOTH = [{"held": 0, "pieces": 1}, *BOTH[:6]]


def knob_sets(rows, classes, what):
    """The sets worth trying for a shape."""
    if classes <= 4096:
        return SHORT
    if rows < 64:
        return FEW_LOSS if what == "loss" else FEW_BOTH
    return LOSS if what == "loss" else BOTH


def main(out):
    found, records = bandwidth(), []
    say(out, "\ntuning: sets of knobs, GPU us, share of bandwidth")
    for (rows, classes), dtype in shapes():
        inputs = for_kernels(batches(rows, classes, dtype))
        for what, function in (("loss", ours_loss), ("loss+gradient", ours_both)):
            gradient = what != "loss"
            tried = []
            for knobs in knob_sets(rows, classes, what):
                if not GPU and len(tried) > 1:
                    continue
                settings.use(**(knobs if GPU else {"pieces": 1}))
                try:
                    microseconds = median_us(function, inputs, 6)
                except Exception as error:  # noqa: BLE001 - told, and the next one is tried
                    records.append({"rows": rows, "classes": classes, "dtype": dtype, "what": what, **knobs, "error": repr(error)[-400:]})
                    say(out, f"{rows} {classes} {dtype} {what} | {knobs}: {repr(error)[-200:]}")
                    continue
                share = moved(rows, classes, dtype, gradient=gradient) / (microseconds * 1e-6) / found["copy" if gradient else "read"]
                tried.append((microseconds, share, knobs))
                records.append(
                    {"rows": rows, "classes": classes, "dtype": dtype, "what": what, **knobs, "us": microseconds, "share": share}
                )
            tried.sort(key=lambda each: each[0])
            for microseconds, share, knobs in tried:
                say(out, f"{rows} {classes} {dtype} {what} | {microseconds:.1f} us {share:.3f} {knobs}")
            write(out, "tuning", records)
        del inputs
        gc.collect()
    settings.use()
