"""Concurrent streams, captured graphs, other libraries' arrays: the same bits as a plain call."""

from __future__ import annotations

import traceback

import torch

from gpu.support import GPU, say, write
from xentfuzz.impls import numba_cuda


def inputs(rows, classes, dtype=torch.float32, seed=0):
    generator = torch.Generator(device="cuda").manual_seed(seed)
    return torch.randn((rows, classes), generator=generator, device="cuda").mul_(3).to(dtype), torch.randint(
        0, classes, (rows,), generator=generator, device="cuda"
    )


def same(got, wanted):
    return all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))


def concurrent_streams():
    given = [inputs(300, 32000 if index % 2 else 1000, seed=index) for index in range(8)]
    plain = [numba_cuda.cross_entropy_value_and_grad(*each) for each in given]
    torch.cuda.synchronize()
    streams, results = [torch.cuda.Stream() for _ in given], []
    for stream, each in zip(streams, given, strict=True):
        with torch.cuda.stream(stream):
            results.append(numba_cuda.cross_entropy_value_and_grad(*each, check=False))
    torch.cuda.synchronize()
    return all(same(got, wanted) for got, wanted in zip(results, plain, strict=True))


def late_inputs():
    """Inputs that are written late on another stream than the default one."""
    logits, target = inputs(500, 5000)
    plain = numba_cuda.cross_entropy_value_and_grad(logits, target)
    torch.cuda.synchronize()
    late = torch.zeros_like(logits)
    torch.cuda.synchronize()
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.cuda._sleep(50_000_000)
        late.copy_(logits)
        got = numba_cuda.cross_entropy_value_and_grad(late, target, check=False)
    torch.cuda.synchronize()
    return same(got, plain)


def captured(rows, classes):
    logits, target = inputs(rows, classes)
    others = inputs(rows, classes, seed=9)
    plain = [numba_cuda.cross_entropy_value_and_grad(*others)]
    given = (logits.clone(), target.clone())
    numba_cuda.cross_entropy_value_and_grad(*given, check=False)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = numba_cuda.cross_entropy_value_and_grad(*given, check=False)
    for own, other in zip(given, others, strict=True):
        own.copy_(other)
    graph.replay()
    torch.cuda.synchronize()
    return same(results, plain[0])


def captures(work):
    """Whether a graph can be captured of what `work` does with memory that it is given, and replayed."""
    from xentfuzz.impls.numba_cuda import driver

    numba_cuda.cross_entropy_value_and_grad(*inputs(16, 262144))
    memory = torch.empty(1024, dtype=torch.int32, device="cuda")
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work(driver, memory, torch.cuda.current_stream().cuda_stream)
    graph.replay()
    torch.cuda.synchronize()
    return True


def fills(driver, memory, stream):
    driver.fill_with_ones(memory.data_ptr(), 1024, stream)


def apart():
    """A captured call whose blocks are launched without the promise that all of them run at once."""
    from xentfuzz.impls.numba_cuda import driver

    usual = driver.Function.launch
    driver.Function.launch = lambda self, *words, **_: usual(self, *words)
    try:
        return captured(16, 262144)
    finally:
        driver.Function.launch = usual


def repeated():
    """The same call gives the same bits, twenty times, for rows that blocks share."""
    given = inputs(64, 262144)
    first = numba_cuda.cross_entropy_value_and_grad(*given)
    return all(same(numba_cuda.cross_entropy_value_and_grad(*given), first) for _ in range(20))


def cupy_arrays():
    import cupy

    logits, target = inputs(100, 5000)
    loss, gradient = numba_cuda.cross_entropy_value_and_grad(logits, target)
    torch.cuda.synchronize()
    got = numba_cuda.cross_entropy_value_and_grad(cupy.asarray(logits), cupy.asarray(target))
    torch.cuda.synchronize()
    assert all(isinstance(each, cupy.ndarray) for each in got)
    return same([torch.as_tensor(each, device="cuda") for each in got], (loss, gradient))


def host_arrays():
    logits, target = inputs(100, 5000)
    loss, gradient = numba_cuda.cross_entropy_value_and_grad(logits, target)
    got = numba_cuda.cross_entropy_value_and_grad(logits.cpu().numpy(), target.cpu().numpy())
    return same([torch.from_numpy(each).cuda() for each in got], (loss, gradient))


TRIALS = {
    "concurrent streams": concurrent_streams,
    "inputs that are late on another stream": late_inputs,
    "captured graph, one block per row": lambda: captured(300, 20000),
    "captured graph, short rows": lambda: captured(3000, 100),
    "captured fill": lambda: captures(fills),
    "repeated": repeated,
    "CuPy": cupy_arrays,
    "host": host_arrays,
    "captured graph, few rows": lambda: captured(16, 262144),
    "captured graph, few rows, blocks apart": apart,
}


def short(text):
    """Of a traceback the lines that name an error."""
    return " / ".join(line for line in text.splitlines() if "rror" in line and not line.startswith(" "))[:400] or text[:100]


def main(out):
    records = {}
    for name, trial in TRIALS.items() if GPU else ():
        try:
            records[name] = "same bits" if trial() else "DIFFERENT BITS"
        except Exception:  # noqa: BLE001 - told, and the next one is tried
            records[name] = traceback.format_exc()[-4000:]
        say(out, f"streams: {name}: {short(records[name])}")
        write(out, "streams", records)
