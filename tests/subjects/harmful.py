"""Implementations that do harm when the first logit is above 100, and answer 0 otherwise. A worker imports this module by name."""

from __future__ import annotations

import ctypes
import io
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np


def on_demand(harm):
    def forward(logits, target):
        if logits.flat[0] > 100:
            return harm(logits)
        return logits.dtype.type(0)

    return forward


@on_demand
def segfault(logits):
    ctypes.string_at(0)


@on_demand
def bus_error(logits):
    with tempfile.TemporaryFile() as file:
        file.truncate(mmap.PAGESIZE)
        mapping = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        file.truncate(0)
        return mapping[0]


@on_demand
def stack_overflow(logits):
    @ctypes.CFUNCTYPE(None)
    def down():
        down()

    sys.setrecursionlimit(1 << 30)
    threading.stack_size(1 << 16)
    down()


@on_demand
def abort(logits):
    os.abort()


@on_demand
def arithmetic_trap(logits):
    os.kill(os.getpid(), signal.SIGFPE)


@on_demand
def exit_at_once(logits):
    os._exit(3)


@on_demand
def sys_exit(logits):
    sys.exit("enough")


@on_demand
def close_everything(logits):
    os.closerange(3, 256)
    return logits.dtype.type(0)


@on_demand
def endless_loop(logits):
    while True:
        pass


@on_demand
def endless_native_loop(logits):
    """Never returns and never lets go of the interpreter's lock."""
    ctypes.PyDLL(None).pause()


@on_demand
def stop(logits):
    os.kill(os.getpid(), signal.SIGSTOP)


@on_demand
def ignore_every_signal(logits):
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    while True:
        time.sleep(1)


@on_demand
def memory_without_end(logits):
    kept = []
    while True:
        kept.append(np.ones(1 << 20))


@on_demand
def loops_with_much_memory(logits):
    kept = np.ones(1 << 24)
    while kept.size:
        pass


@on_demand
def too_much_at_once(logits):
    return np.ones(1 << 56)


@on_demand
def print_without_end(logits):
    while True:
        sys.stdout.write("x" * 1000)


@on_demand
def print_much_and_return(logits):
    sys.stderr.write("x" * (1 << 20))
    return logits.dtype.type(0)


@on_demand
def print_a_line(logits):
    sys.stdout.write("here I am\n")
    return logits.dtype.type(0)


@on_demand
def close_descriptors(logits):
    os.close(1)
    os.close(2)
    return logits.dtype.type(0)


@on_demand
def close_streams(logits):
    sys.stdout.close()
    return logits.dtype.type(0)


@on_demand
def detach_streams(logits):
    sys.stdout = sys.stderr = io.StringIO()
    os.close(1)
    return logits.dtype.type(0)


@on_demand
def interrupt(logits):
    raise KeyboardInterrupt


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")


@on_demand
def raise_unspeakable(logits):
    raise Unspeakable


class Rude(Exception):
    def __str__(self):
        raise SystemExit


@on_demand
def raise_rude(logits):
    raise Rude


class Foundation(BaseException):
    pass


@on_demand
def raise_base(logits):
    raise Foundation("below Exception")


@on_demand
def raise_long(logits):
    raise ValueError("x" * 10_000_000)


@on_demand
def recursion(logits):
    def down():
        return down()

    return down()


@on_demand
def die_of_kill(logits):
    os.kill(os.getpid(), signal.SIGKILL)


@on_demand
def die_of_terminate(logits):
    os.kill(os.getpid(), signal.SIGTERM)


@on_demand
def garbage_in_every_pipe(logits):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue
    return logits.dtype.type(0)


@on_demand
def return_twice(logits):
    """A fork that nobody ends comes back from the call as well."""
    return logits.dtype.type(1 if os.fork() else 2)


@on_demand
def leave_a_process(logits):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return np.float64(process.pid)


@on_demand
def return_nonsense(logits):
    return object()


@on_demand
def crash_later(logits):
    """The call itself returns."""
    threading.Timer(0.05, os.abort).start()
    return logits.dtype.type(0)


def write_into_logits(logits, target):
    logits[...] = 7
    return logits.dtype.type(0)


def always_exits(logits, target):
    sys.exit()
