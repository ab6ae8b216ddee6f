"""An operation is what it states, whatever its name: cross_entropy under another one gets the same checks and finds the same bugs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from xentfuzz import operations
from xentfuzz.checks.registry import checks_for
from xentfuzz.errors import UsageError
from xentfuzz.gallery import FAULTY
from xentfuzz.operations import get_operation, operation_names, register_operation, usable_operations
from xentfuzz.operations.operation import Operation
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.corpus import Plan
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

FLOAT = "float32"
NAME = "same_under_another_name"
# Of each category of the gallery, what needs no worker of its own.
FOUND_IN_PROCESS = [entry for entry in FAULTY.values() if not entry.isolated and entry.profile != "thorough"]
SOME = tuple({entry.category: entry.id for entry in FOUND_IN_PROCESS}.values())


@pytest.fixture
def another() -> Iterator[Operation]:
    operation = replace(get_operation("cross_entropy"), name=NAME)
    register_operation(operation)
    yield operation
    del operations._loaded[NAME]


def test_it_gets_the_same_checks(another):
    assert [check.name for check in checks_for(another.name)] == [check.name for check in checks_for("cross_entropy")]


def first_failure(identifier: str, operation: str) -> tuple[str, str, str] | None:
    implementation = replace(FAULTY[identifier].implementation, operation=operation)
    settings = Settings("check", get_profile("quick"), seed=0, isolate=False, dtypes=(FLOAT,), first_failure=True, shrink=False)
    report = run_checks([implementation], settings)[0]
    assert report.errors == []
    # Which call of a race goes wrong, and how, is chance.
    seen = ((each.check, each.kind, "" if each.kind == "thread_unsafe" else each.headline) for each in report.failures)
    return next(seen, None)


@pytest.fixture
def _same_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation's name is part of the seeds of its corpora; here all have the same."""
    derived = Plan.derived_seed
    monkeypatch.setattr(Plan, "derived_seed", lambda plan, *parts: derived(replace(plan, operation=get_operation("cross_entropy")), *parts))


@pytest.mark.usefixtures("_same_cases")
@pytest.mark.parametrize("identifier", SOME)
def test_it_finds_the_same_bugs(another, identifier):
    found = first_failure(identifier, another.name)
    assert found is not None
    assert found == first_failure(identifier, "cross_entropy")


@pytest.mark.slow
@pytest.mark.usefixtures("_same_cases")
@pytest.mark.parametrize("identifier", [entry.id for entry in FOUND_IN_PROCESS if entry.id not in SOME])
def test_it_finds_every_bug(another, identifier):
    assert first_failure(identifier, another.name) == first_failure(identifier, "cross_entropy")


@pytest.mark.parametrize(
    ("loaded", "reason"), [("json:nothing", "failed to load"), ("json:loads", "is function"), (None, "is the operation")]
)
def test_an_entry_point_that_is_no_operation_takes_no_other_along(monkeypatch, loaded, reason):
    broken = EntryPoint("broken", loaded or "xentfuzz.operations.softmax:OPERATION", operations.GROUP)
    monkeypatch.setitem(operations._installed(), "broken", broken)
    assert "broken" in operation_names()
    assert "broken" not in [operation.name for operation in usable_operations()]
    with pytest.raises(UsageError, match=reason):
        get_operation("broken")


def test_an_installation_older_than_the_group_is_told_to_be_made_again(monkeypatch):
    monkeypatch.setattr(operations, "entry_points", lambda group: ())
    operations._installed.cache_clear()
    try:
        with pytest.raises(UsageError, match="install it again"):
            operation_names()
    finally:
        operations._installed.cache_clear()


def test_a_name_is_registered_once(another):
    with pytest.raises(ValueError, match="give the new one another name"):
        register_operation(another)
