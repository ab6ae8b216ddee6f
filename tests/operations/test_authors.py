"""Kernels of the kinds that authors write stay within the grade that is theirs, on rows that a search makes as hard as it can."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import fast_math_in_c
import numpy as np
import pytest
from adversary import Adversary, Array, Kernel
from honest import HONEST

from xentfuzz.gallery import kernels
from xentfuzz.gallery.catalogue import honest
from xentfuzz.operations.grades import parse_grade

FEW = (2, 33, 300)
MANY = (1, 2, 3, 5, 16, 17, 64, 129, 1000, 4096, 32_768)

# Of the gallery: the kernel and its grade.
OF_GALLERY = (
    *("kahan_sums", "pairwise_sums", "float64_sums", "logaddexp_of_shifted_logits", "two_passes_over_chunks", "scale_folded_into_exp2"),
    *("approximate_intrinsics", "sequential_sums_lse", "online_blocks", "strided_sums"),
)
IN_PYTHON_LOOPS = {"kahan_sums": 4096, "online_blocks": 4096}


def of_gallery(name: str) -> Kernel:
    kernel = getattr(kernels, name)
    return {"value": kernel.forward, "grad_logits": kernel.backward}


def hold(kernel: Kernel, grade: str, counts: tuple[int, ...], *, dtype: str = "float32", seeds: int = 1, rows: int = 48) -> None:
    for classes in counts:
        adversary = Adversary(dtype, classes, rows=min(rows, max(4, 200_000 // classes)), generations=6)
        found = [adversary.search(kernel, parse_grade(grade), seed) for seed in range(seeds)]
        worst = max(found, key=lambda one: one.ratio)
        print(f"{dtype} C={classes}: {worst.ratio:.3f} of {grade}, {worst.where}")
        assert worst.ratio <= 1
        assert worst.ratio > 0 or classes == 1, "nothing was compared"


@pytest.mark.parametrize("name", OF_GALLERY)
def test_kernels_of_the_gallery_stay_within_their_grade(name: str) -> None:
    hold(of_gallery(name), honest()[name].implementation.grade_for("float32"), FEW, rows=24)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", OF_GALLERY)
def test_kernels_of_the_gallery_stay_within_their_grade_at_many_class_counts(name: str, dtype: str) -> None:
    counts = tuple(count for count in MANY if count <= IN_PYTHON_LOOPS.get(name, max(MANY)))
    hold(of_gallery(name), honest()[name].implementation.grade_for(dtype), counts, dtype=dtype, seeds=2)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", HONEST)
def test_honest_forms_stay_within_working_precision(name: str, dtype: str) -> None:
    forward, backward = HONEST[name].pair("cross_entropy")
    counts = tuple(count for count in MANY if count <= (1000 if "elements" in name or "8 lanes" in name else max(MANY)))
    hold({"value": forward, "grad_logits": backward}, "lse/any", counts, dtype=dtype)


def test_a_sum_of_logarithms_of_logits_as_they_are_is_outside_every_grade() -> None:
    def forward(logits: Array, target: Array, *, reduction: str) -> Array:
        del reduction
        return np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(logits)), target]

    for grade in ("lse/any", "fast-math/any"):
        assert Adversary("float32", 3000, rows=12).search({"value": forward}, parse_grade(grade), 0).ratio > 2


# ---- compiled kernels


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """The C library in a spawned process: flush-to-zero must not reach this one."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = fast_math_in_c.built(Path(tmp_path_factory.mktemp("c")), compiler)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:

        def remote(function: str, *arrays: Array) -> Array:
            return pool.submit(fast_math_in_c.call, library, function, *arrays).result(timeout=120)

        yield {
            "value": lambda logits, target, reduction: remote("loss", logits, target),
            "grad_logits": lambda grad_output, logits, target, reduction: remote("gradient", grad_output, logits, target),
        }


def test_c_with_fast_math_stays_within_fast_math(in_c: Kernel) -> None:
    hold(in_c, "fast-math/any", FEW)
    smallest = np.finfo(np.float32).smallest_subnormal
    assert np.float32(smallest) * np.float32(1) > 0, "flush-to-zero reached this process"


@pytest.mark.slow
def test_c_with_fast_math_stays_within_fast_math_at_many_class_counts(in_c: Kernel) -> None:
    hold(in_c, "fast-math/any", MANY, seeds=2)


@cache
def _numba() -> Kernel:
    numba: Any = pytest.importorskip("numba")

    def row_sum(x: Array, m: float) -> float:
        s = np.float32(0)
        for value in x:
            s += np.exp(value - m)
        return s

    jit: Callable[..., Any] = numba.njit(fastmath=True)
    summed = jit(row_sum)

    @jit
    def loss(x: Array, y: Array) -> Array:
        out = np.empty(len(x), np.float32)
        for i in range(len(x)):
            m = x[i].max()
            out[i] = m + np.log(summed(x[i], m)) - x[i, y[i]]
        return out

    @jit
    def gradient(g: Array, x: Array, y: Array) -> Array:
        out = np.empty_like(x)
        for i in range(len(x)):
            m = x[i].max()
            s = summed(x[i], m)
            for j in range(x.shape[1]):
                out[i, j] = g[i] * (np.exp(x[i, j] - m) / s)
            out[i, y[i]] -= g[i]
        return out

    return {
        "value": lambda logits, target, reduction: loss(logits, target),
        "grad_logits": lambda grad_output, logits, target, reduction: gradient(grad_output, logits, target),
    }


@pytest.mark.slow
def test_numba_with_fastmath_stays_within_fast_math() -> None:
    hold(_numba(), "fast-math/any", MANY, seeds=2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's own use of it, when it loads its compiler
def test_torch_compile_stays_within_working_precision() -> None:
    torch: Any = pytest.importorskip("torch")
    compiled = torch.compile(lambda x, y: torch.nn.functional.cross_entropy(x, y, reduction="none"), dynamic=True)

    def forward(logits: Array, target: Array, *, reduction: str) -> Array:
        del reduction
        return np.asarray(compiled(torch.from_numpy(logits), torch.from_numpy(target)).detach())

    def backward(grad_output: Array, logits: Array, target: Array, *, reduction: str) -> Array:
        del reduction
        x = torch.from_numpy(logits).requires_grad_()
        compiled(x, torch.from_numpy(target)).backward(torch.from_numpy(grad_output))
        return np.asarray(x.grad)

    hold({"value": forward, "grad_logits": backward}, "lse/any", (2, 3, 17, 300, 4096, 32_768))


@pytest.mark.slow
def test_jax_jit_stays_within_working_precision() -> None:
    jax: Any = pytest.importorskip("jax")

    @jax.jit
    def loss(x: Any, y: Any) -> Any:
        return -jax.numpy.take_along_axis(jax.nn.log_softmax(x, axis=1), y[:, None], axis=1)[:, 0]

    def backward(grad_output: Array, logits: Array, target: Array, *, reduction: str) -> Array:
        del reduction
        return np.asarray(jax.vjp(lambda x: loss(x, target), logits)[1](grad_output)[0])

    hold(
        {"value": lambda logits, target, reduction: np.asarray(loss(logits, target)), "grad_logits": backward},
        "lse/any",
        (2, 3, 17, 300, 4096),
    )
