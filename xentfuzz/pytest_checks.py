"""The calls that a parametrised test makes: one for each implementation, operation, check and dtype. Loaded only by tests that use them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from xentfuzz import registry
from xentfuzz.checks.registry import checks_for, find_check
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import Unavailable, UsageError, require_known
from xentfuzz.failures.expected import Expectations, expectations
from xentfuzz.failures.failure import Failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations import operation_names
from xentfuzz.runner.check import run_one
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.results import CheckReport
from xentfuzz.subjects.target import resolve


@dataclass(frozen=True)
class CheckCall:
    """What a test receives as `check`: calling it runs one check on one dtype."""

    implementation: Implementation
    check: str
    dtype: str
    profile: str
    seed: int
    expected: Expectations

    def __str__(self) -> str:
        return f"{self.implementation.name}-{self.implementation.operation}-{self.check}-{self.dtype}"

    def __call__(self) -> CheckReport:
        """Raises the Failure, xfails where it is expected, skips where the implementation cannot run or does not take the dtype.

        An expectation that has become wrong is an AssertionError too.
        """
        __tracebackhide__ = True
        try:
            report = self._run()
        except Failure as failure:
            # The harness's own frames say nothing about the implementation.
            raise failure.with_traceback(None) from None
        except Unavailable as reason:
            pytest.skip(str(reason))
        (result,) = report.checks
        if result.status == "unsupported":
            pytest.skip(result.reason)
        assert not report.problems, "\n".join(report.problems)
        if report.expected:
            pytest.xfail(next(iter(report.expected.values())))
        return report

    def _run(self) -> CheckReport:
        with warnings.catch_warnings():
            # The session's filters, "error" among them, are no part of what an implementation promises.
            warnings.simplefilter("ignore")
            return run_one(self.implementation, self.check, self.dtype, profile=self.profile, seed=self.seed, expected=self.expected)


def check_calls(
    given: Sequence[Any],
    *,
    only: Sequence[str] | None,
    profile: str,
    seed: int,
    operations: Sequence[str] | None,
    checks: Sequence[str] | None,
    expected_failures: Any,
) -> list[CheckCall]:
    """The calls for the implementations `given` (names, Implementations or plain forward functions; none: all registered).

    Limited to the names in `only`; a function's name is its own.

    Checks that the profile gives no cases, or that are about another array library, have none.

    Raises UsageError for an unknown name of an implementation, operation, check or profile.
    """
    most = get_profile(profile).most
    implementations = list(_implementations(given or registry.implementations(), operations))
    _require_all_known(operations or (), checks or (), only or (), implementations)
    expected = expectations(expected_failures)
    return [
        CheckCall(implementation, check.name, dtype, profile, seed, expected)
        for implementation in implementations
        if only is None or implementation.name in only
        if operations is None or implementation.operation in operations
        for check in checks_for(implementation.operation)
        if checks is None or check.name in checks
        if check.concerns(implementation.array)
        if most.get(check.cost_on(implementation.device)) != 0
        for dtype in implementation.dtypes or FLOAT_NAMES
    ]


def _require_all_known(
    operations: Sequence[str], checks: Sequence[str], only: Sequence[str], implementations: Sequence[Implementation]
) -> None:
    require_known("operation", operations, operation_names())
    for check in checks:
        find_check(check)
    names = {implementation.name for implementation in implementations} | set(registry.implementations() if only else ())
    require_known("implementation", only, names)


def _implementations(given: Sequence[Any], operations: Sequence[str] | None) -> Iterator[Implementation]:
    """A name stands for all operations that are registered under it, a function for each that is wanted: cross_entropy unless told."""
    for each in given:
        if isinstance(each, Implementation):
            yield each
        elif isinstance(each, str):
            registered = registry.operations_of(each)
            yield from (registry.get(each, operation) for operation in registered)
            if not registered:
                yield registry.get(each)
        elif callable(each):
            yield from (resolve(each, operation=operation, isolate=False) for operation in operations or (None,))
        else:
            raise UsageError(f"parametrize takes names, Implementations and functions, got {each!r}")
