"""The parts of the CPU kernels: storage, exponentials, tiles, threads, compilation."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from xentfuzz.dtypes import FORMATS, numpy_dtype
from xentfuzz.impls import numba_cpu

TILE = numba_cpu.TILE
ALL_16_BITS = np.arange(2**16, dtype=np.uint16)


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    numba_cpu.compile_kernels()


@pytest.fixture
def numba(named):
    return named("numba-cpu")


@pytest.fixture(params=["float16", "bfloat16"])
def storage(request):
    return numpy_dtype(request.param)


@pytest.fixture(params=["float32", "float64"])
def arithmetic(request):
    return np.dtype(request.param)


def through_tiles(values, move, dtype):
    """`values` moved tile by tile; each call of `move` gets a tile and a range."""
    for start in range(0, len(values), TILE):
        move(numba_cpu._new_tile(dtype), slice(start, start + TILE))


def test_every_16_bit_number_is_loaded_exactly(storage):
    loaded = np.empty(2**16, np.float32)

    def move(tile, part):
        assert numba_cpu.load(ALL_16_BITS, part.start, tile) == TILE
        loaded[part] = tile.values

    through_tiles(ALL_16_BITS, move, storage)
    expected = ALL_16_BITS.view(storage).astype(np.float32)
    assert np.array_equal(loaded, expected, equal_nan=True)
    assert np.array_equal(np.signbit(loaded), np.signbit(expected))


def neighbourhoods(storage):
    """Every finite number of the format, the middle to the next one, and what lies just beside that middle, as float32."""
    numbers = np.sort(ALL_16_BITS.view(storage).astype(np.float32))
    numbers = numbers[np.isfinite(numbers)]
    beyond = numbers[-1] + (numbers[-1] - numbers[-2]) / 2
    middles = np.append(numbers[1:] / 2 + numbers[:-1] / 2, [beyond, -beyond])
    return np.concatenate([numbers, middles, np.nextafter(middles, np.float32(np.inf)), np.nextafter(middles, np.float32(-np.inf))])


def test_numbers_are_stored_rounded_to_nearest_even(storage):
    values = np.append(neighbourhoods(storage), np.array([np.inf, -np.inf, np.nan], np.float32))
    values = np.append(values, np.zeros(-len(values) % TILE, np.float32))
    stored = np.empty(len(values), np.uint16)

    def move(tile, part):
        tile.values[:] = values[part]
        numba_cpu.store(stored, part.start, tile, TILE)

    through_tiles(values, move, storage)
    with np.errstate(over="ignore"):
        expected = values.astype(storage)
    assert np.array_equal(stored.view(storage).astype(np.float32), expected.astype(np.float32), equal_nan=True)


def test_exponential_is_within_two_units_of_roundoff(arithmetic):
    unit, smallest = FORMATS[arithmetic.name].unit_roundoff, FORMATS[arithmetic.name].smallest_subnormal
    lowest = -104.0 if arithmetic == np.float32 else -746.0
    x = np.random.default_rng(0).uniform(lowest, 0, 200 * TILE).astype(arithmetic)
    x[: TILE // 2] = np.linspace(-0.7, 0, TILE // 2)
    got = np.empty_like(x)

    def move(tile, part):
        tile.values[:] = x[part]
        numba_cpu.exponentials(tile, TILE, 0.0)
        got[part] = tile.values

    through_tiles(x, move, arithmetic)
    exact = np.exp(x.astype(np.longdouble))
    assert np.all(np.abs(got - exact) <= 2 * unit * exact + smallest)


def test_exponential_is_exact_at_its_ends(arithmetic):
    tile = numba_cpu._new_tile(arithmetic)
    tile.values[:3] = [5.0, -np.inf, -np.finfo(arithmetic).max]
    numba_cpu.exponentials(tile, 3, 5.0)
    assert tile.values[:3].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("position", [0, 1, TILE - 1, TILE, 2 * TILE + 2])
def test_loss_and_gradient_across_tiles_are_right(numba, dtype, position):
    logits = np.random.default_rng(position).normal(0, 3, (2, 2 * TILE + 3)).astype(numpy_dtype(dtype))
    logits[:, position] = 12
    given = {"logits": logits, "target": np.array([position, TILE]), "grad_output": np.ones((), logits.dtype)}
    numba.assert_right(numba.case("cross_entropy", **given), "value", "grad_logits")
    numba.assert_right(numba.case("cross_entropy", **given, label_smoothing=0.3, reduction="sum"), "value", "grad_logits")


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
def test_softmax_across_tiles_is_right(numba, dtype, function):
    random = np.random.default_rng(0)
    logits, upstream = random.normal(0, 3, (2, 2, 2 * TILE + 3)).astype(numpy_dtype(dtype))
    numba.assert_right(numba.case(function, logits=logits, axis=1, grad_output=upstream), "value", "grad_logits")


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
    logits, target = random.normal(0, 3, (7, 40)).astype(np.float32), random.integers(0, 40, 7)
    alone = numba_cpu.cross_entropy_value_and_grad(logits, target)
    monkeypatch.setattr(numba_cpu, "LOGITS_PER_THREAD", 1)
    with ThreadPoolExecutor(4) as pool:
        monkeypatch.setattr(numba_cpu, "_threads", lambda: (5, pool))
        together = numba_cpu.cross_entropy_value_and_grad(logits, target)
    assert all(np.array_equal(left, right) for left, right in zip(alone, together, strict=True))


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
    assert numba_cpu.LOGITS_PER_THREAD < 64 * 4096
    assert subprocess.run([sys.executable, "-c", FORK], check=False, timeout=100).returncode == 0


def test_without_a_place_for_a_cache_kernels_still_compile(monkeypatch):
    def njit(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: (function.__name__, sorted(options))

    monkeypatch.setattr("numba.njit", njit)
    assert numba_cpu._dispatcher(test_a_forked_child_can_go_on_computing, {"nogil": True}) == (
        "test_a_forked_child_can_go_on_computing",
        ["error_model", "nogil"],
    )


@pytest.mark.parametrize("function", ["log_softmax", "cross_entropy"])
def test_swamped_sums_stay_within_the_grade_at_every_number_of_classes(numba, arithmetic, function):
    """One large term and many that half a unit of its last place would lose one by one, one class masked."""
    gap = -36.7368005696771 if arithmetic == np.float64 else -16.64
    for classes in range(223, 1101):
        logits = np.full((1, classes), gap, arithmetic)
        logits[0, 0], logits[0, classes // 2] = 0.0, -np.inf
        given = {"axis": 1} if function == "log_softmax" else {"target": np.array([0])}
        numba.assert_right(numba.case(function, logits=logits, **given), "value")


# Prints a digest of the bits of everything that sums.
BITS = """
import hashlib
import numpy as np
from xentfuzz.impls import numba_cpu

digest = hashlib.sha256()
for dtype in (np.float32, np.float64):
    x, upstream = np.random.default_rng(0).normal(0, 3, (2, 3, 777)).astype(dtype)
    target = np.array([1, 2, 776])
    for result in (
        *numba_cpu.cross_entropy_value_and_grad(x, target, label_smoothing=0.1),
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
