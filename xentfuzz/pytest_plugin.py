"""The pytest plug-in: `xentfuzz.parametrize`, `xentfuzz.parametrize_benchmark`, and the options that say what they run.

    @xentfuzz.parametrize("numpy")
    def test_numpy(check):
        check()

gives one test per operation, check and dtype; `check()` raises the Failure.

    @xentfuzz.parametrize_benchmark("numpy")
    def test_speed(timed, benchmark):
        timed(benchmark)

gives one test per measure and input, timed by pytest-benchmark's fixture. A session that uses neither loads nothing but this module.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

import xentfuzz

if TYPE_CHECKING:
    from xentfuzz.pytest_benchmarks import TimedCall
    from xentfuzz.pytest_checks import CheckCall

# Marker -> the argument that its tests take.
MARKER, BENCHMARK_MARKER = "xentfuzz", "xentfuzz_benchmark"
ARGUMENTS = {MARKER: "check", BENCHMARK_MARKER: "timed"}
USED = pytest.StashKey[bool]()
# Why a parametrised test has no call, by its node id; it is deselected.
EMPTY = pytest.StashKey[dict[str, str]]()
NO_CALL = object()


def parametrize(
    *implementations: Any,
    operations: tuple[str, ...] | None = None,
    checks: tuple[str, ...] | None = None,
    expected_failures: Any = None,
) -> pytest.MarkDecorator:
    """Turn a test with an argument `check` into one test per (check, dtype) of each implementation.

    implementations: registered names, Implementations or plain forward functions, none for all that are registered.
    operations, checks: names, None for all.
    expected_failures: a TOML path or a list of its tables, beside what xentfuzz ships; such a failure is an xfail.
    Names are looked up when tests are collected: an unknown one is an error of the collection.
    """
    return pytest.mark.xentfuzz(*implementations, operations=operations, checks=checks, expected_failures=expected_failures)


def parametrize_benchmark(
    *implementations: Any,
    operations: tuple[str, ...] | None = None,
    dtypes: tuple[str, ...] | None = None,
    shapes: tuple[tuple[int, ...], ...] | None = None,
    threads: int | None = None,
) -> pytest.MarkDecorator:
    """Turn a test with the arguments `timed` and `benchmark` into one test per (measure, dtype, shape) of each implementation.

    `timed(benchmark)` verifies the results, times the calls by the fixture of pytest-benchmark and verifies the last results. What is
    wrong fails; what is not taken is skipped. implementations: as for `parametrize`. operations: names, None for cross_entropy.
    dtypes, shapes: of the first argument, None for those that `xentfuzz bench` times in this profile. threads: None for one for each core.
    """
    return pytest.mark.xentfuzz_benchmark(*implementations, operations=operations, dtypes=dtypes, shapes=shapes, threads=threads)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("xentfuzz", "checks of softmax cross-entropy implementations")
    group.addoption("--xentfuzz-impl", action="append", metavar="NAME", help="run only this implementation (may be repeated; default: all)")
    group.addoption(
        "--xentfuzz-profile", default="default", metavar="NAME", help="how many cases: quick, default or thorough (default: default)"
    )
    group.addoption("--xentfuzz-seed", type=int, default=0, metavar="N", help="seed of the cases (default: 0)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(*implementations): one test per check and dtype; written by xentfuzz.parametrize")
    words = "one test per measure and input; written by xentfuzz.parametrize_benchmark"
    config.addinivalue_line("markers", f"{BENCHMARK_MARKER}(*implementations): {words}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, argument in ARGUMENTS.items():
        marker = metafunc.definition.get_closest_marker(name)
        if marker is not None:
            _parametrize(metafunc, marker, argument)


def _parametrize(metafunc: pytest.Metafunc, marker: pytest.Mark, argument: str) -> None:
    needed = [argument, *(["benchmark"] if marker.name == BENCHMARK_MARKER else [])]
    if not set(needed) <= set(metafunc.fixturenames):
        written_by = f"xentfuzz.parametrize{marker.name.removeprefix(MARKER)}"
        words = f"a test under {written_by} takes an argument named {' and one named '.join(map(repr, needed))}"
        pytest.fail(f"{metafunc.definition.nodeid}: {words}", pytrace=False)
    metafunc.config.stash[USED] = True
    calls = _calls(marker, metafunc.config)
    if calls:
        metafunc.parametrize(argument, calls, ids=[str(call) for call in calls])
    else:
        metafunc.config.stash.setdefault(EMPTY, {})[metafunc.definition.nodeid] = _why_empty(metafunc.config)
        metafunc.parametrize(argument, [NO_CALL], ids=["no call"])


def _why_empty(config: pytest.Config) -> str:
    only = config.getoption("--xentfuzz-impl")
    return f"--xentfuzz-impl {' '.join(only)} is none of its implementations" if only else "no check of this profile applies to it"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    empty = [item for item in items if any(value is NO_CALL for value in getattr(getattr(item, "callspec", None), "params", {}).values())]
    if empty and EMPTY in config.stash:
        items[:] = [item for item in items if item not in empty]
        config.hook.pytest_deselected(items=empty)


def _calls(marker: pytest.Mark, config: pytest.Config) -> Sequence[CheckCall | TimedCall]:
    from xentfuzz.errors import UsageError  # noqa: PLC0415 - only a session that uses the plug-in pays for it

    given = {
        "only": config.getoption("--xentfuzz-impl"),
        "profile": config.getoption("--xentfuzz-profile"),
        "seed": config.getoption("--xentfuzz-seed"),
    }
    try:
        if marker.name == BENCHMARK_MARKER:
            from xentfuzz.pytest_benchmarks import timed_calls  # noqa: PLC0415

            return timed_calls(marker.args, **given, **marker.kwargs)
        from xentfuzz.pytest_checks import check_calls  # noqa: PLC0415

        return check_calls(marker.args, **given, **marker.kwargs)
    except UsageError as error:
        pytest.fail(f"xentfuzz: {error}", pytrace=False)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    if not config.stash.get(USED, False):
        return []
    profile, seed = config.getoption("--xentfuzz-profile"), config.getoption("--xentfuzz-seed")
    left_out = [f"xentfuzz: {test} has no test: {reason}" for test, reason in config.stash.get(EMPTY, {}).items()]
    return [f"xentfuzz {xentfuzz.__version__}: profile {profile}, seed {seed}", *left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to the report of a Failure the script that shows it alone."""
    report = yield
    if report.failed and call.excinfo is not None and item.get_closest_marker(MARKER) is not None:
        script = getattr(call.excinfo.value, "script", None)
        if script is not None:
            report.sections.append(("script that shows this failure alone", script()))
    return report
