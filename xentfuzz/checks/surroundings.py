"""Whether a call leaves the state of the process as it was."""

from __future__ import annotations

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.derived_cases import plain, with_arrays
from xentfuzz.checks.protocol import Results, functions_of, protocol_outcome
from xentfuzz.checks.trial import Trial, unwrap
from xentfuzz.failures.failure import failure
from xentfuzz.operations.case import Case

SPECIAL_WORDS = ", where the first number is -inf and the last one NaN"


def leaves_surroundings_alone(trial: Trial) -> Measure:
    case = plain(trial.case)
    earlier = [_left_alone(trial, function, case) for function in functions_of(trial)]
    special = _with_special_values(case)
    for function in functions_of(trial) if special else ():
        _left_alone(trial, function, special or case, SPECIAL_WORDS)
    if any(earlier):
        message = f"since the worker was loaded, an earlier call has changed {next(filter(None, earlier))}"
        raise failure("global_state", message, function="forward", by_earlier_call=True)
    return Measure()


def _with_special_values(case: Case) -> Case | None:
    """With -inf as the first number of the first argument, and NaN as its last one, in another row; None for a single row."""
    name, values = next(iter(case.values.items()))
    if values.ndim < 2 or not values.size or values.shape[0] < 2:
        return None
    changed = np.array(values)
    changed.flat[0], changed.flat[-1] = -np.inf, np.nan
    return with_arrays(case, **{name: changed})


def _left_alone(trial: Trial, function: str, case: Case, where: str = "") -> str:
    """What calls before this one have changed, in words; a Failure for what this one does. where: what is special about its case."""
    outcome = protocol_outcome(trial, "surroundings", [(function, case)])
    if where and (outcome.raised is not None or outcome.unsupported is not None):
        return ""  # whether special values are taken is the business of other checks
    found = unwrap(outcome, function, layout_refused=False)
    for words in _findings(found):
        raise failure("global_state", f"{function} {words}{where}", function=function, calls=((function, case),))
    return str(found["earlier"]).partition("\n")[0]


def _findings(found: Results) -> list[str]:
    changed = [f"changes {line}" for line in str(found["changed"]).splitlines()]
    printed = str(found["printed"]).strip()
    return [*changed, *([f"prints to standard output: {printed.splitlines()[0][:200]!r}"] if printed else [])]


SURROUNDINGS = """A call leaves the process as it was: NumPy's error state and random state, torch's default dtype, gradient mode, number of
threads and random state, the current directory, environment variables, warning filters, open files; and it prints nothing to standard
output.

Compared before and after a call that is not the first one, as libraries may open files and import modules on first use. What only the
first call changes is seen where no import could have done it. The same is done with -inf and NaN among the values. What was changed since
the worker was loaded by calls of other checks is told as that, not as the present call's doing."""

CHECKS = (Check("leaves_surroundings_alone", "ordinary", leaves_surroundings_alone, SURROUNDINGS, cost="protocol"),)
