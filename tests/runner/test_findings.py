"""What a person sees first of many findings."""

from __future__ import annotations

from xentfuzz.failures.failure import failure
from xentfuzz.runner.findings import varied


def test_a_kind_that_is_found_many_times_does_not_hide_the_others() -> None:
    kinds = ("raised", "raised", "raised", "gradient", "gradient", "accepted_invalid")
    found = [failure(kind, str(number)) for number, kind in enumerate(kinds)]
    assert [(one.kind, one.message) for one in varied(found)] == [
        ("raised", "0"),
        ("gradient", "3"),
        ("accepted_invalid", "5"),
        ("raised", "1"),
        ("gradient", "4"),
        ("raised", "2"),
    ]
