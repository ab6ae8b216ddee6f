"""Cross entropy in C as authors write it, with -O3 -ffast-math; for a process of its own, as such a library may set flush-to-zero."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SOURCE = r"""
#include <math.h>
static float row(const float *x, long c, float *top) {
    float m = x[0], s = 0;
    for (long i = 1; i < c; i++) m = x[i] > m ? x[i] : m;
    for (long i = 0; i < c; i++) s += expf(x[i] - m);
    *top = m;
    return s;
}
void loss(const float *x, const long *y, float *out, long n, long c) {
    for (long i = 0; i < n; i++, x += c) {
        float m, s = row(x, c, &m);
        out[i] = m + logf(s) - x[y[i]];
    }
}
void gradient(const float *g, const float *x, const long *y, float *out, long n, long c) {
    for (long i = 0; i < n; i++, x += c, out += c) {
        float m, s = row(x, c, &m);
        for (long j = 0; j < c; j++) out[j] = g[i] * (expf(x[j] - m) / s);
        out[y[i]] -= g[i];
    }
}
"""


def built(folder: Path, compiler: str) -> str:
    """The path of the library."""
    source, library = folder / "loss.c", folder / "loss.so"
    source.write_text(SOURCE)
    options = ["-O3", "-ffast-math", "-march=native", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, str(source), "-o", str(library), "-lm"], check=True, capture_output=True)
    return str(library)


def call(library: str, function: str, *arrays: Array) -> Array:
    """`loss` of logits and target, or `gradient` of an upstream gradient, logits and target."""
    logits = arrays[-2]
    out = np.empty(len(logits) if function == "loss" else logits.shape, np.float32)
    held = [np.ascontiguousarray(array) for array in (*arrays, out)]
    getattr(ctypes.CDLL(library), function)(*(array.ctypes.data_as(ctypes.c_void_p) for array in held), *map(ctypes.c_long, logits.shape))
    return held[-1]
