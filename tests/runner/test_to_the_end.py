"""Every entry of the gallery is checked to its end with all checks: whatever it returns or raises, the harness itself fails at nothing."""

from __future__ import annotations

from functools import cache

import pytest

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.gallery import catalogue
from xentfuzz.gallery.entry import Entry
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.results import CheckReport
from xentfuzz.runner.settings import Settings

# In the normal suite: one in so many entries, another part of them in each dtype, and few cases of each check.
SAMPLED, CASES = 12, 3


@cache
def entries() -> dict[str, Entry]:
    return {**catalogue.faulty(), **catalogue.honest()}


def whole(name: str, **limits: object) -> CheckReport:
    settings = Settings("check", get_profile("quick"), seed=0, isolate=True, **limits)  # type: ignore[arg-type]
    (report,) = run_checks([entries()[name].implementation], settings)
    return report


def require_an_end(name: str, report: CheckReport) -> None:
    assert not report.errors, f"{report.errors[0].doing}: {report.errors[0].error}\n{report.errors[0].traceback}"
    assert report.checks
    assert not report.cut_short
    if entries()[name].honest:
        assert not report.unexpected, [failure.message for failure in report.unexpected]


def sampled() -> list[tuple[str, str]]:
    return [(name, FLOAT_NAMES[place % len(FLOAT_NAMES)]) for place, name in enumerate(list(entries())[::SAMPLED])]


@pytest.mark.parametrize(("name", "dtype"), sampled())
def test_an_entry_is_checked_to_its_end(name: str, dtype: str) -> None:
    require_an_end(name, whole(name, dtypes=(dtype,), examples=CASES))


@pytest.mark.slow
@pytest.mark.parametrize("name", entries())
def test_an_entry_is_checked_to_its_end_with_everything(name: str) -> None:
    require_an_end(name, whole(name))
