"""The calls that a parametrised test makes: one for each implementation, operation, check and dtype. Loaded only by tests that use them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    """What a test receives as `check`: calling it runs one check on one dtype.

    told: test -> the findings that it has shown in this process; all calls of an implementation share it.
    """

    implementation: Implementation
    check: str
    dtype: str
    profile: str
    seed: int
    expected: Expectations
    told: dict[str, list[Failure]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.implementation.name}-{self.implementation.operation}-{self.check}-{self.dtype}"

    def __call__(self) -> CheckReport:
        """Raises the Failure, xfails where it is expected, skips where the implementation cannot run or does not take the dtype.

        What has the cause of a Failure that an earlier test showed fails with one line, which names that test. An expectation that has
        become wrong is an AssertionError too.
        """
        __tracebackhide__ = True
        try:
            report = self._run()
        except Unavailable as reason:
            pytest.skip(str(reason))
        if report.unexpected:
            self.told[str(self)] = report.unexpected
            # The harness's own frames say nothing about the implementation.
            raise report.unexpected[0].with_traceback(None) from None
        if report.explained_by:
            pytest.fail(self._told_before(report.explained_by[0]), pytrace=False)
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
            return run_one(
                self.implementation,
                self.check,
                self.dtype,
                profile=self.profile,
                seed=self.seed,
                expected=self.expected,
                known=[failure for failures in self.told.values() for failure in failures],
            )

    def _told_before(self, failure: Failure) -> str:
        test = next(test for test, failures in self.told.items() if failure in failures)
        return f"the same cause as [{test}], which shows it: {failure.headline}"


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
    implementations = named_or_unnamed(given, operations, only)
    require_known("operation", operations or (), operation_names())
    for check_name in checks or ():
        find_check(check_name)
    expected = expectations(expected_failures)
    told: dict[int, dict[str, list[Failure]]] = {}
    return [
        CheckCall(implementation, check.name, dtype, profile, seed, expected, told.setdefault(id(implementation), {}))
        for implementation in implementations
        if operations is None or implementation.operation in operations
        for check in checks_for(implementation.operation)
        if checks is None or check.name in checks
        if check.concerns(implementation.array)
        if most.get(check.cost_on(implementation.device)) != 0
        for dtype in implementation.dtypes or FLOAT_NAMES
    ]


def named_or_unnamed(given: Sequence[Any], operations: Sequence[str] | None, only: Sequence[str] | None) -> list[Implementation]:
    """The implementations `given`, or for none all that need not be named; of these, those whose names are in `only`.

    Raises UnknownName for a name in `only` that nothing has.
    """
    found = list(_implementations(given, operations) if given else _unnamed(only or ()))
    require_known("implementation", only or (), {each.name for each in found} | set(registry.implementations() if only else ()))
    return [implementation for implementation in found if only is None or implementation.name in only]


def _unnamed(only: Sequence[str]) -> Iterator[Implementation]:
    """All that are registered, but of those that must be named only what is in `only`."""
    found = _implementations(registry.implementations(), None)
    return (implementation for implementation in found if not implementation.named_only or implementation.name in only)


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
