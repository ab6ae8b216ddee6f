"""The parts of the CPU kernels: storage, exponentials, tiles, layouts, threads, compilation; and that the processor changes no bit."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, FORMATS, numpy_dtype
from xentfuzz.impls import numba_cpu
from xentfuzz.impls.numba_cpu import launch, layout

ALL_16_BITS = np.arange(2**16, dtype=np.uint16)
TILE = layout.TILE_BYTES[4] // 4


@pytest.fixture
def numba(named):
    return named("numba-cpu")


@pytest.fixture(params=["float16", "bfloat16"])
def storage(request):
    return numpy_dtype(request.param)


@pytest.fixture(params=["float32", "float64"])
def arithmetic(request):
    return np.dtype(request.param)


def called(part):
    """A function that kernels alone call, for Python."""
    import numba

    return numba.njit(lambda *given: part(*given))  # noqa: PLW0108 - the part itself is there for compiled code only


def softmax_of_pairs(x):
    """exp(x) / (1 + exp(x)) for x <= 0, in rows of two classes."""
    return numba_cpu.softmax(np.stack([x, np.zeros_like(x)], axis=1), axis=1)[:, 0]


def test_exponential_is_within_its_bound(arithmetic):
    """Three units of roundoff, and half a unit of the argument, whose product with log2(e) has the rounding of that constant."""
    from xentfuzz.impls.numba_cpu import tiles
    from xentfuzz.impls.numba_cpu.layout import address_of

    lowest = -87.0 if arithmetic == np.float32 else -707.0
    x = np.random.default_rng(0).uniform(lowest, 0, 100_003).astype(arithmetic)
    x[:2000] = np.linspace(-0.7, 0, 2000)
    got = np.empty_like(x)
    total = called(tiles.keep_exponentials)(arithmetic, address_of(x), x.size, 0.0, arithmetic, address_of(got))
    exact = np.exp(x.astype(np.longdouble))
    unit = FORMATS[arithmetic.name].unit_roundoff
    assert np.all(np.abs(got - exact) <= (3 - x / 2) * unit * exact)
    assert abs(total - exact.sum()) <= (20 * unit * exact * (1 - x)).sum()


def test_exponential_is_exact_at_its_ends(arithmetic):
    x = np.array([0.0, -np.inf, -np.finfo(arithmetic).max, -1e5], arithmetic)
    assert np.array_equal(softmax_of_pairs(x), np.array([0.5, 0.0, 0.0, 0.0], arithmetic))


def test_logarithm_is_within_two_units_of_roundoff():
    from xentfuzz.impls.numba_cpu import arithmetic

    x = np.concatenate([np.exp2(np.linspace(0, 17, 2001)), np.nextafter(1, 2) + np.arange(100) * 2.0**-52, np.linspace(1, 2, 999)])
    logarithm = called(arithmetic.logarithm)
    got = np.array([logarithm(each) for each in x])
    exact = np.log(x.astype(np.longdouble))
    assert np.all(np.abs(got - exact) <= 2 * 2.0**-53 * exact)
    assert [logarithm(0.0), logarithm(1.0)] == [-np.inf, 0.0]
    assert np.isnan(logarithm(np.nan))


def test_every_16_bit_number_is_loaded_exactly(storage):
    finite = ALL_16_BITS.view(storage)[np.isfinite(ALL_16_BITS.view(storage).astype(np.float32))]
    rows = np.stack([finite, np.full_like(finite, -np.inf)], axis=1)
    # -x at the target: the loss is 0, and 0 weight for what is not; nll_loss gives back what it was given.
    got = numba_cpu.nll_loss(rows, np.zeros(len(rows), np.int64), reduction="none")
    assert np.array_equal((-got).astype(np.float32), finite.astype(np.float32))


def neighbourhoods(storage):
    """Every finite number of the format, the middle to the next one, and what lies just beside that middle, as float32."""
    numbers = np.sort(ALL_16_BITS.view(storage).astype(np.float32))
    numbers = numbers[np.isfinite(numbers)]
    beyond = numbers[-1] + (numbers[-1] - numbers[-2]) / 2
    middles = np.append(numbers[1:] / 2 + numbers[:-1] / 2, [beyond, -beyond])
    return np.concatenate([numbers, middles, np.nextafter(middles, np.float32(np.inf)), np.nextafter(middles, np.float32(-np.inf))])


@pytest.mark.parametrize("streaming", [False, True])
def test_numbers_are_stored_rounded_to_nearest_even(storage, streaming):
    from xentfuzz.impls.numba_cpu import tiles
    from xentfuzz.impls.numba_cpu.layout import address_of

    values = np.append(neighbourhoods(storage), np.array([np.inf, -np.inf, np.nan], np.float32))
    stored = np.empty(len(values), np.uint16)
    bits = launch.STORAGE[storage.name]
    called(tiles.scale)(np.dtype(np.float32), address_of(values), values.size, 1.0, bits, address_of(stored), streaming)
    with np.errstate(over="ignore"):
        expected = values.astype(storage)
    assert np.array_equal(stored.view(storage).astype(np.float32), expected.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("position", [0, 1, TILE - 1, TILE, 2 * TILE + 2])
def test_loss_and_gradient_across_tiles_are_right(numba, dtype, position):
    logits = np.random.default_rng(position).normal(0, 3, (2, 2 * TILE + 3)).astype(numpy_dtype(dtype))
    logits[:, position] = 12
    given = {"logits": logits, "target": np.array([position, TILE]), "grad_output": np.ones((), logits.dtype)}
    numba.assert_right(numba.case("cross_entropy", **given), "value", "grad_logits")
    numba.assert_right(numba.case("cross_entropy", **given, label_smoothing=0.3, reduction="sum"), "value", "grad_logits")


def test_rows_whose_exponentials_are_not_kept_are_right(numba, dtype):
    classes = layout.KEPT_BYTES // 4 + 3
    logits = np.random.default_rng(0).normal(0, 3, (1, classes)).astype(numpy_dtype(dtype))
    case = numba.case("cross_entropy", logits=logits, target=np.array([5]), grad_output=np.ones((), logits.dtype))
    numba.assert_right(case, "value", "grad_logits")


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
def test_softmax_across_tiles_is_right(numba, dtype, function):
    random = np.random.default_rng(0)
    logits, upstream = random.normal(0, 3, (2, 2, 2 * TILE + 3)).astype(numpy_dtype(dtype))
    numba.assert_right(numba.case(function, logits=logits, axis=1, grad_output=upstream), "value", "grad_logits")


@pytest.mark.parametrize("shape", [(3, 2, 5, 7), (2, 19, 4, 9), (1, 2 * TILE + 1, 17)])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_classes_apart_and_odd_strides_are_right(numba, dtype, shape, step):
    random = np.random.default_rng(0)
    whole = random.normal(0, 3, (*shape[:-1], shape[-1] * 2)).astype(numpy_dtype(dtype))
    logits = whole[..., : shape[-1]] if step == 1 else whole[..., ::step][..., : shape[-1]]
    target = random.integers(0, shape[1], (shape[0], *shape[2:]))
    case = numba.case("cross_entropy", logits=logits, target=target, grad_output=np.ones((), logits.dtype))
    numba.assert_right(case, "value", "grad_logits")


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_a_first_tile_of_minus_infinity_is_no_obstacle(numba, label_smoothing):
    logits = np.zeros((1, TILE + 2), np.float32)
    logits[0, :TILE] = -np.inf
    case = numba.case("cross_entropy", logits=logits, target=np.array([TILE]), label_smoothing=label_smoothing)
    numba.assert_right(case, "value")


@pytest.mark.parametrize("position", [0, TILE - 1])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("rest", [0.0, -np.inf])
def test_a_nan_of_either_sign_poisons_its_row_alone(numba, position, sign, rest):
    logits = np.zeros((2, TILE + 2), np.float32)
    logits[0, :TILE] = rest
    logits[0, position] = np.copysign(np.float32(np.nan), sign)
    case = numba.case("cross_entropy", logits=logits, target=np.array([TILE, 1]), reduction="none", grad_output=np.ones(2, np.float32))
    numba.assert_right(case, "value", "grad_logits")


def test_threads_give_the_same_bits_as_one(monkeypatch):
    random = np.random.default_rng(0)
    logits, target = random.normal(0, 3, (70_001, 4)).astype(np.float32), random.integers(0, 4, 70_001)
    with ThreadPoolExecutor(4) as pool:
        monkeypatch.setattr(launch, "threads", lambda: (1, pool))
        alone = numba_cpu.cross_entropy_value_and_grad(logits, target)
        monkeypatch.setattr(launch, "threads", lambda: (5, pool))
        together = numba_cpu.cross_entropy_value_and_grad(logits, target)
    assert all(np.array_equal(left, right) for left, right in zip(alone, together, strict=True))


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_results_written_past_the_caches_are_the_same_bits(monkeypatch, dtype):
    for shape in ((3, 1), (5, 17), (9, 777), (2, 9001)):
        logits = np.random.default_rng(0).normal(0, 3, shape).astype(numpy_dtype(dtype))
        target = np.arange(shape[0]) % shape[1]
        found = []
        for size in (1 << 40, 0):
            monkeypatch.setattr(launch, "STREAMING_BYTES", size)
            found.append((*numba_cpu.cross_entropy_value_and_grad(logits, target), numba_cpu.softmax(logits, axis=1)))
        assert all(left.tobytes() == right.tobytes() for left, right in zip(*found, strict=True))


# Prints a digest of the bits of everything that sums.
BITS = """
import hashlib
import numpy as np
from xentfuzz.impls import numba_cpu

digest = hashlib.sha256()
for dtype in (np.float32, np.float64):
    x, upstream = np.random.default_rng(0).normal(0, 3, (2, 3, 777)).astype(dtype)
    target = np.array([1, 2, 776])
    short, image = x.reshape(-1, 9), x.reshape(-1)[:2240].reshape(4, 35, 16)
    for result in (
        *numba_cpu.cross_entropy_value_and_grad(x, target, label_smoothing=0.1),
        *numba_cpu.cross_entropy_value_and_grad(short, np.arange(len(short)) % 9),
        *numba_cpu.cross_entropy_value_and_grad(image, np.arange(64).reshape(4, 16) % 35),
        numba_cpu.softmax_backward(upstream, x, axis=1),
        numba_cpu.log_softmax_backward(upstream, x, axis=1),
    ):
        digest.update(np.ascontiguousarray(result).tobytes())
print(digest.hexdigest())
"""
# Processor -> what this machine needs to run code for it.
PROCESSORS = {"generic": set(), "haswell": {"avx2", "fma"}, "skylake-avx512": {"avx512f", "avx512bw", "avx512vl", "avx512dq"}}


def test_every_processor_gives_the_same_bits(tmp_path):
    from llvmlite.binding import get_host_cpu_features

    able = {name for name, present in get_host_cpu_features().items() if present}
    named = [processor for processor, needed in PROCESSORS.items() if needed <= able]
    assert len(named) > 1, "this processor can run none but generic code"
    # Code for the machine itself, and a cache of its own, so that what another processor was compiled for is not taken.
    started = {
        processor: subprocess.Popen(
            [sys.executable, "-c", BITS],
            env={**os.environ, "NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path / processor)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for processor in named
    }
    bits = {processor: process.communicate(timeout=500)[0].strip() for processor, process in started.items()}
    assert all(process.returncode == 0 for process in started.values())
    assert len(set(bits.values())) == 1, bits


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
@pytest.mark.parametrize(
    "shape", [(37, 1), (16, 16), (33, 21), (5, layout.MOST_CLASSES_TRANSPOSED), (2, 7, 19), (1, layout.MOST_CLASSES_IN_PLACE, 17)]
)
def test_rows_side_by_side_are_right(numba, dtype, shape):
    random = np.random.default_rng(1)
    target = random.integers(0, shape[1], (shape[0], *shape[2:]))
    target.flat[1::5] = -100
    logits = random.normal(0, 3, shape)
    logits.flat[3], logits.flat[-1] = -np.inf, -np.inf
    given = {"logits": logits.astype(numpy_dtype(dtype)), "target": target, "weight": random.random(shape[1]).astype(numpy_dtype(dtype))}
    for reduction in ("mean", "none"):
        loss_shape = target.shape if reduction == "none" else ()
        upstream = random.normal(0, 1, loss_shape).astype(numpy_dtype(dtype))
        numba.assert_right(numba.case("cross_entropy", **given, reduction=reduction, grad_output=upstream), "value", "grad_logits")


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_row_without_a_softmax_leaves_its_neighbours_alone(numba, poison):
    logits = np.random.default_rng(2).normal(0, 3, (20, 5)).astype(np.float32)
    logits[3, 2], logits[4], logits[18, 0] = poison, -np.inf, poison
    target = np.arange(20) % 5
    target[18] = -100  # an ignored row may hold anything
    case = numba.case("cross_entropy", logits=logits, target=target, reduction="none", grad_output=np.ones(20, np.float32))
    numba.assert_right(case, "value", "grad_logits")


@pytest.mark.parametrize("function", ["log_softmax", "cross_entropy"])
def test_swamped_sums_stay_within_the_grade_at_every_number_of_classes(numba, arithmetic, function):
    """One large term and many that half a unit of its last place would lose one by one, one class masked."""
    gap = -36.7368005696771 if arithmetic == np.float64 else -16.64
    for classes in (*range(2, layout.MOST_CLASSES_TRANSPOSED + 3), *range(223, 1101)):
        logits = np.full((1, classes), gap, arithmetic)
        logits[0, 0], logits[0, classes // 2] = 0.0, -np.inf
        given = {"axis": 1} if function == "log_softmax" else {"target": np.array([0])}
        numba.assert_right(numba.case(function, logits=logits, **given), "value")


@pytest.mark.parametrize("function", ["log_softmax", "cross_entropy"])
def test_swamped_sums_of_images_stay_within_the_grade(numba, arithmetic, function):
    """The same where positions lie side by side, one of them without a softmax."""
    gap = -35.26732854689001 if arithmetic == np.float64 else -16.64
    for classes in (131, 291, 777, layout.MOST_CLASSES_IN_PLACE):
        logits = np.full((1, classes, 2), gap, arithmetic)
        logits[0, 0] = np.nan, 0.0
        given = (
            {"axis": 1, "grad_output": np.ones(logits.shape, arithmetic)} if function == "log_softmax" else {"target": np.array([[0, 0]])}
        )
        more = {} if function == "log_softmax" else {"reduction": "none", "grad_output": np.ones((1, 2), arithmetic)}
        numba.assert_right(numba.case(function, logits=logits, **given, **more), "value", "grad_logits")


FORK = """
import os
import numpy as np
from xentfuzz.impls import numba_cpu

logits, target = np.zeros((64, 4096), np.float32), np.zeros(64, np.int64)
before = numba_cpu.cross_entropy(logits, target)
child = os.fork()
if child == 0:
    os._exit(0 if numba_cpu.cross_entropy(logits, target) == before else 1)
raise SystemExit(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_can_go_on_computing():
    assert launch.LOGITS_PER_THREAD < 64 * 4096
    assert subprocess.run([sys.executable, "-c", FORK], check=False, timeout=100).returncode == 0


def test_without_a_place_for_a_cache_kernels_still_compile(monkeypatch):
    from xentfuzz.impls.numba_cpu import compiling

    def nowhere(_):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiling, "_Cache", nowhere)
    assert compiling.kernel(lambda: 3)() == 3


def test_the_cache_knows_of_all_sources(monkeypatch):
    from xentfuzz.impls.numba_cpu import compiling
    from xentfuzz.impls.numba_cpu.index_kernels import count_targets

    numba_cpu.cross_entropy(np.zeros((1, 2), np.float32), np.zeros(1, np.int64))
    signature, codegen = count_targets.signatures[0], count_targets.targetctx.codegen()
    before = count_targets._cache._index_key(signature, codegen)
    monkeypatch.setattr(compiling, "_digest_of_sources", lambda: hashlib.sha256(b"changed").hexdigest())
    assert count_targets._cache._index_key(signature, codegen) != before
