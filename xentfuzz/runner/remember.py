"""Failures live on between runs: stored ones are tried first, new ones are stored before anybody is told of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from xentfuzz.failures.store import Store
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.examine import Excluded, examine, note
from xentfuzz.runner.results import CheckReport
from xentfuzz.subjects.harness_errors import ErrorLog


def try_stored(contestant: Contestant, dtypes: Sequence[str], excluded: Excluded) -> None:
    """Run every stored case of this implementation; damaged records are noted and left out."""
    operation = contestant.operation.name
    stored, damaged = Store().load_all(contestant.name, operation)
    contestant.notes += damaged
    checks = {check.name: check for check in contestant.checks}
    for one in stored:
        check = checks.get(one.check)
        if check is None or one.dtype not in dtypes or excluded(contestant.name, operation, one.check, one.dtype, one.recipe):
            continue
        note(contestant, check, one.recipe, examine(contestant, check, one.recipe), None)


def store_failures(report: CheckReport, errors: ErrorLog) -> None:
    """Write a record and a script for each unexpected failure. A folder that can't be written to is noted, and the report goes on."""
    for failure in report.unexpected:
        with errors.kept("storing a failure", failure.check, failure.dtype, failure.recipe):
            try:
                failure.record = str(Store().save(failure, command=sys.argv, seed=report.seed))
            except OSError as error:
                report.notes.append(f"the failure of {failure.check} could not be stored: {error.strerror or error}")
                return
