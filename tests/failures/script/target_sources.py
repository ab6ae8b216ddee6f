"""The sources of targets that scripts call: faulty where MENDED is False."""

from __future__ import annotations

NUMPY_TARGET = """
import ctypes, os, sys, threading, time
import numpy as np

MENDED = {mended}

def rows(logits):
    x = logits.astype("float64")
    return x - np.log(np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)) - x.max(1, keepdims=True)

def loss(logits, target, *, weight=None, reduction="mean", label_smoothing=0.0):
    picked = -rows(logits)[np.arange(len(target)), target]
    total = {{"none": picked, "sum": picked.sum(), "mean": picked.mean()}}[reduction]
    return np.asarray(total * (1 if MENDED else 2), logits.dtype)

def backward(grad_output, logits, target, **options):
    p = np.exp(rows(logits))
    p[np.arange(len(target)), target] -= 1
    return (grad_output * p / len(target) * (1 if MENDED else 3)).astype(logits.dtype)

def value_and_grad(logits, target, **options):
    return loss(logits, target, **options), backward(1.0, logits, target)

def columns(logits, target):
    "Forgets the strides of its argument."
    flat = np.ndarray(logits.shape, logits.dtype, logits.base if not MENDED else logits.copy())
    return loss(flat, target) / (1 if MENDED else 2)

def renamed(logits, target, *, smoothing, fast):
    assert smoothing == 0.25 and fast is True
    return loss(logits, target)

def raises(logits, target):
    if not MENDED:
        raise RuntimeError("no such kernel")

def accepts(logits, target):
    if MENDED:
        raise IndexError("target out of range")
    return np.float32(3)

def changes(logits, target):
    logits[...] = logits if MENDED else 0

calls = 0
def forgetful(logits, target):
    global calls
    calls += 1
    return np.float32(0 if MENDED else calls)

def wrong_shape(logits, target):
    return np.zeros(() if MENDED else (1,), "float32")

def wrong_dtype(logits, target):
    return np.float32(1) if MENDED else 1.0

state = 1
def fragile(logits, target):
    global state
    if target.max() > 2:
        state = 1 if MENDED else 5
        raise IndexError("target out of range")
    return np.float32(state)

def log_softmax(logits, *, axis):
    assert axis == 1
    return (rows(logits) * (1 if MENDED else 1.5)).astype(logits.dtype)

def nll_loss(log_probs, target):
    return np.asarray(-log_probs[np.arange(len(target)), target].mean(), log_probs.dtype)

def segfaults(logits, target):
    MENDED or ctypes.string_at(0)

def exits(logits, target):
    MENDED or os._exit(0)

def writes_beside(logits, target):
    if not MENDED:
        np.ndarray(300, "u1", logits.base)[logits.nbytes + 256] ^= 1
    logits += 1

def reads_beside(logits, target):
    return np.float32(1 if MENDED else np.ndarray(300, "u1", logits.base)[7])

held = np.zeros(1, "float32")
def one_buffer(logits, target):
    value = np.zeros(1, "float32") if MENDED else held
    value[0] = logits.sum()
    return value[0:1].reshape(())

def late(logits, target):
    value = np.zeros((), "float32")
    thread = threading.Timer(0.1, value.__setitem__, ((), 1))
    thread.start()
    if MENDED:
        thread.join()
    return value

def a_view(logits, target):
    return logits[0, 0:1].reshape(()).copy() if MENDED else logits[0, 0:1].reshape(())

def unwritten(logits, target):
    value = np.empty(len(target), "float32")
    value[: len(target) if MENDED else len(target) - 1] = 0
    return value

def errors_off(logits, target):
    MENDED or np.seterr(all="ignore")

def rounds_down(logits, target):
    import ctypes
    MENDED or ctypes.CDLL("libm.so.6").fesetround(0x400)

def once_random(logits, target):
    global calls
    calls += 1
    MENDED or calls > 1 or np.random.random()

def variable(logits, target):
    MENDED or os.environ.update(XENTFUZZ_MODE="2")

def prints(logits, target):
    MENDED or print("once upon a time")

def closes(logits, target):
    MENDED or os.close(1)

def keeps_nan(logits, target):
    return np.float32(np.nan if MENDED else 1)
"""

TORCH_TARGET = """
import ctypes

import torch
from torch.nn import functional

MENDED = {mended}

def loss(logits, target, weight=None, label_smoothing=0.0):
    return functional.cross_entropy(logits, target, weight=weight, label_smoothing=label_smoothing) * (1 if MENDED else 2)

held = torch.zeros(())
def one_buffer(logits, target):
    return (torch.zeros(()) if MENDED else held).copy_(logits.sum())

def unwritten(logits, target):
    return torch.zeros(3) if MENDED else torch.empty(3)

def a_view(logits, target):
    return logits[0, 0].clone() if MENDED else logits[0, 0]

def writes_beside(logits, target):
    MENDED or ctypes.memset(logits.data_ptr() + 12, 1, 1)
    logits += 1

def gradients_off(logits, target):
    MENDED or torch.set_grad_enabled(False)

class Module(torch.nn.Module):
    def __init__(self, weight=None, label_smoothing=0.0):
        super().__init__()
        self.options = dict(weight=weight, label_smoothing=label_smoothing)

    def forward(self, logits, target):
        return loss(logits, target, **self.options)

class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, weight=None, label_smoothing=0.0):
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            value = loss(leaf, target, weight, label_smoothing)
        (ctx.slope,) = torch.autograd.grad(value, leaf)
        return value.detach()

    @staticmethod
    def backward(ctx, upstream):
        return upstream * ctx.slope, None, None, None
"""
