"""The pytest plug-in: `xentfuzz.parametrize`, and the options that say what it runs.

    @xentfuzz.parametrize("numpy")
    def test_numpy(check):
        check()

gives one test per operation, check and dtype; `check()` raises the Failure. A session that does not use it loads nothing but this module.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

import xentfuzz

if TYPE_CHECKING:
    from xentfuzz.pytest_checks import CheckCall

MARKER = "xentfuzz"
ARGUMENT = "check"
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


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("xentfuzz", "checks of softmax cross-entropy implementations")
    group.addoption("--xentfuzz-impl", action="append", metavar="NAME", help="run only this implementation (may be repeated; default: all)")
    group.addoption(
        "--xentfuzz-profile", default="default", metavar="NAME", help="how many cases: quick, default or thorough (default: default)"
    )
    group.addoption("--xentfuzz-seed", type=int, default=0, metavar="N", help="seed of the cases (default: 0)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(*implementations): one test per check and dtype; written by xentfuzz.parametrize")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None:
        return
    if ARGUMENT not in metafunc.fixturenames:
        pytest.fail(f"{metafunc.definition.nodeid}: a test under xentfuzz.parametrize takes an argument named {ARGUMENT!r}", pytrace=False)
    metafunc.config.stash[USED] = True
    calls = _calls(marker, metafunc.config)
    if calls:
        metafunc.parametrize(ARGUMENT, calls, ids=[str(call) for call in calls])
    else:
        metafunc.config.stash.setdefault(EMPTY, {})[metafunc.definition.nodeid] = _why_empty(metafunc.config)
        metafunc.parametrize(ARGUMENT, [NO_CALL], ids=["no call"])


def _why_empty(config: pytest.Config) -> str:
    only = config.getoption("--xentfuzz-impl")
    return f"--xentfuzz-impl {' '.join(only)} is none of its implementations" if only else "no check of this profile applies to it"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    empty = [item for item in items if getattr(getattr(item, "callspec", None), "params", {}).get(ARGUMENT) is NO_CALL]
    if empty and EMPTY in config.stash:
        items[:] = [item for item in items if item not in empty]
        config.hook.pytest_deselected(items=empty)


def _calls(marker: pytest.Mark, config: pytest.Config) -> list[CheckCall]:
    from xentfuzz.errors import UsageError  # noqa: PLC0415 - only a session that uses the plug-in pays for it
    from xentfuzz.pytest_checks import check_calls  # noqa: PLC0415

    try:
        return check_calls(
            marker.args,
            only=config.getoption("--xentfuzz-impl"),
            profile=config.getoption("--xentfuzz-profile"),
            seed=config.getoption("--xentfuzz-seed"),
            **marker.kwargs,
        )
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
