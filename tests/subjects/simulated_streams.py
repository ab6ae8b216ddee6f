"""What CUDA streams and devices do to a torch function, played on the CPU.

Within `stream` a copy waits in a queue, and every call of torch has the queue carried out first, as kernels of one stream run in order;
what runs in `launched_on_the_default_stream` does not, as a kernel that is launched on another stream does not wait. A backward
written in Python does not either.
"""

from __future__ import annotations

from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode


class Stream(TorchFunctionMode):
    def __init__(self, device):
        super().__init__()
        self.device, self.queue, self.slept = device, [], 0

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        if function is torch.Tensor.copy_:
            self.queue.append(lambda: function(*arguments))
            return arguments[0]
        if function is not torch.autograd.grad or not _is_written_in_python(*arguments):
            self.catch_up()
        return function(*arguments, **(keywords or {}))

    def catch_up(self):
        for work in self.queue:
            work()
        self.queue.clear()


def _is_written_in_python(loss, *_):
    (loss,) = loss if isinstance(loss, tuple) else (loss,)
    return isinstance(loss.grad_fn, torch.autograd.function.BackwardCFunction)


class Cuda:
    """In place of torch.cuda, for tensors in host memory."""

    Stream = Stream

    def __init__(self, devices=1):
        self.devices, self.current, self.streams = devices, 0, []

    def synchronize(self, device):
        del device
        for stream in self.streams:
            stream.catch_up()

    def _sleep(self, cycles):
        assert cycles > 0
        self.streams[-1].slept += 1

    def stream(self, stream):
        self.streams.append(stream)
        return stream

    def device_count(self):
        return self.devices

    @contextmanager
    def device(self, number):
        before, self.current = self.current, number
        yield
        self.current = before


launched_on_the_default_stream = torch._C.DisableTorchFunction
