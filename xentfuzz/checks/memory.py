"""Checks of memory: whose it is that a result lies in, what is read and written beyond the arguments, what was never written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.bits import first_difference
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import compare
from xentfuzz.checks.derived_cases import class_count, in_loss_dtype, other_values, plain, with_many_rows
from xentfuzz.checks.protocol import Results, Steps, functions_of, loss_dtype, perform
from xentfuzz.checks.trial import Array, Trial, call, unwrap
from xentfuzz.dtypes import FORMATS, dtype_name
from xentfuzz.failures.failure import failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.case import Case
from xentfuzz.operations.roles import has_labels, ignored_label, target_name, target_of
from xentfuzz.subjects.capabilities import Capabilities

# ---- whose memory


def results_are_own_memory(trial: Trial) -> Measure:
    case = plain(trial.case)
    others = [(function, other_values(trial, case)) for function in functions_of(trial)]
    for function in functions_of(trial):
        # The same function first: a buffer is most likely its own.
        steps = [(function, case), (function, other_values(trial, case)), *others]
        found = perform(trial, "hold", steps)
        if found["shared"]:
            output, argument = str(found["shared"]).split()[:2]
            message = f"{function}: {output} shares memory with {argument}; declare aliases=True where that is by design"
            raise failure("aliased_result", message, function=function, output=output)
        if found["changed"]:
            output, later = str(found["changed"]).split()[0], steps[int(found["by"])]
            message = f"{function}: {output} is overwritten by a later call of {later[0]}; declare aliases=True where that is by design"
            raise failure("aliased_result", message, function=function, output=output, calls=((function, case), later))
        if found["again"]:
            output, later = str(found["again"]).split()[0], steps[int(found["by"])]
            message = f"{function}: {output} lies in memory that a later call of {later[0]} returns too; declare aliases=True if by design"
            raise failure("aliased_result", message, function=function, output=output, calls=((function, case), later))
    return Measure()


def not_declared_aliasing(_: Capabilities, implementation: Implementation) -> str | None:
    return "declared aliases=True" if implementation.aliases else None


# Enough work for a kernel that hands it to threads.
MANY_FOR_THREADS = 1 << 13


def results_are_complete(trial: Trial) -> Measure:
    case = plain(trial.case)
    case = with_many_rows(trial, case, MANY_FOR_THREADS) or case
    steps = [(function, case) for function in functions_of(trial)]
    found = perform(trial, "late", steps)
    if int(found["step"]) < 0:
        return Measure()
    (function, _), output = steps[int(found["step"])], str(found["output"])
    message = f"{function}: {output} changes after it was returned, while nothing else is called: what computes it was not waited for"
    raise failure("late_result", message, function=function, output=output, calls=((function, case),))


# ---- beyond the arguments

# Poison before and after each argument, enough for the widest vector that a kernel may read or write at once.
GUARD = 256
# Between the rows of an array that lies in a wider one.
GAP = 19
# NaN, a large number and its opposite in every format: a maximum, a comparison and a sum each tell two of them apart.
POISONS = (0xFF, 0x5A, 0xDA)


def stays_in_bounds(trial: Trial) -> Measure:
    case = in_loss_dtype(trial, plain(trial.case))
    layouts = trial.subject.capabilities.layouts_at(next(iter(case.values.values())).ndim)
    for wide in (False, True):
        if wide and layouts and "first_columns" not in layouts:
            continue
        poisoned = [guarded(case, variant, wide=wide) for variant in range(len(POISONS))]
        for function in functions_of(trial):
            _in_bounds(trial, function, poisoned)
    return Measure()


def _in_bounds(trial: Trial, function: str, poisoned: Sequence[Case]) -> None:
    """The same arguments within several poisons: a result that differs was computed from one of them."""
    first = _within_guards(trial, function, poisoned[0])
    if not trial.subject.implementation.deterministic:
        # Bits say nothing here; what was written is seen all the same.
        return
    for case in poisoned[1:]:
        difference = first_difference(first, _within_guards(trial, function, case))
        # A difference between two calls with the same poison is no sign of anything read.
        if difference is not None and first_difference(first, _within_guards(trial, function, poisoned[0])) is None:
            output, words = difference
            message = f"{function}: {output} depends on memory beyond the arguments: {words}"
            calls = ((function, poisoned[0]), (function, case))
            raise failure("out_of_bounds_read", message, function=function, output=output, calls=calls)


def _within_guards(trial: Trial, function: str, case: Case) -> Results:
    outcome = call(trial.subject, function, case, loss_dtype(trial, case))
    written = outcome.notes.get("written_outside", ())
    if written:
        message = f"{function} writes beyond {', '.join(written)}"
        raise failure("out_of_bounds_write", message, function=function, calls=((function, case),))
    return unwrap(outcome, function, layout_refused=False)


def guarded(case: Case, variant: int, *, wide: bool) -> Case:
    """The case with every array inside a larger buffer. variant: of the poison; wide: rows further apart than they are long."""
    arrays = {name: _guard(case, name, values, variant, wide=wide) for name, values in case.values.items()}
    return Case(case.operation, case.dtype, arrays, case.options)


def _guard(case: Case, name: str, values: Array, variant: int, *, wide: bool) -> StridedArray:
    if not values.size:
        return StridedArray.of(values)
    gap = GAP if wide and values.ndim > 1 else 0
    shape = (*values.shape[:-1], values.shape[-1] + gap) if values.ndim else ()
    size = int(np.prod(shape, dtype=np.int64)) * values.dtype.itemsize
    storage = np.full(2 * GUARD + size, POISONS[variant], np.uint8)
    if has_labels(case) and name == target_name(case.operation):
        # A label that is no class would end the process where it is used, which tells less.
        storage.view(values.dtype)[...] = _labels(case)[variant % 2]
    whole = np.ndarray(shape, values.dtype, buffer=storage.data, offset=GUARD)
    view = whole[..., : values.shape[-1]] if values.ndim else whole
    view[...] = values
    return StridedArray(storage, dtype_name(values.dtype), view.shape, view.strides, GUARD)


def _labels(case: Case) -> tuple[int, int]:
    """Two labels that the implementation takes: the ignored one, where the case has it already, and a class; else two classes."""
    labels, ignored = target_of(case), ignored_label(case)
    classes = class_count(case)
    if (labels == ignored).any():
        return ignored, 0 if ignored else min(1, classes - 1)
    return 0, classes - 1


# ---- never written

# A moderate number in every format, and NaN in every format.
FILLS = (0x42, 0xFF)
# Beside these: what glibc leaves in a freed block meanwhile, and what Numba's runtime may put into fresh memory.
MARKERS = (*FILLS, 0x42 ^ 0xFF, 0xCB)
MANY_ELEMENTS = 5000


def writes_every_element(trial: Trial) -> Measure:
    case = plain(trial.case)
    many = with_many_rows(trial, case, MANY_ELEMENTS)
    steps = [(function, each) for each in (case, many) if each is not None for function in functions_of(trial)]
    for name, result in (named for results in _filled(trial, steps) for named in results.items()):
        number, output = name.split(".")
        function, given = steps[int(number)]
        if given is case:
            _no_marker(trial, function, output, result)
    return Measure()


def _filled(trial: Trial, steps: Steps) -> tuple[Results, Results]:
    """The results with memory filled in one way and in another; they must be the same."""
    first, other = (perform(trial, "patterns", steps, byte=byte) for byte in FILLS)
    if not trial.subject.implementation.deterministic:
        return first, other
    difference = first_difference(first, other)
    if difference is not None and first_difference(first, perform(trial, "patterns", steps, byte=FILLS[0])) is None:
        number, output = difference[0].split(".")
        function, case = steps[int(number)]
        message = f"{function}: {output} depends on what fresh memory holds: {difference[1]}"
        raise failure("unwritten_output", message, function=function, output=output, calls=((function, case),))
    return first, other


def _no_marker(trial: Trial, function: str, output: str, result: Any) -> None:
    """No wrong number consists of a byte that fresh memory is filled with."""
    evaluation = trial.sum_evaluation if function == "value_and_grad" else trial.evaluation
    array = np.asarray(result)
    name = dtype_name(array.dtype)
    if name not in FORMATS or output not in evaluation.outputs() or array.shape != evaluation.shape(output):
        return
    marked = _marked(array)
    if not marked.any():
        return
    comparison = compare(array, evaluation, output, trial.grade, name)
    indices = [mismatch.index for mismatch in comparison.mismatches if marked[mismatch.index]]
    if indices:
        number = float(array[indices[0]])
        where = f" at {list(indices[0])}" if indices[0] else ""
        message = f"{function}: {output}{where} is {number!r}, which is what fresh memory holds"
        raise failure("unwritten_output", message, function=function, output=output, index=indices[0], got=number)


def _marked(array: Array) -> Array:
    elements = np.frombuffer(array.tobytes(), np.uint8).reshape(*array.shape, array.dtype.itemsize)
    marked: Array = np.isin(elements[..., 0], MARKERS) & (elements == elements[..., :1]).all(axis=-1)
    return marked


def host_memory(capabilities: Capabilities, implementation: Implementation) -> str | None:
    on_host = capabilities.device == "cpu" or implementation.simulator
    return None if on_host else "not tested: what fresh device memory holds can't be chosen"


OWN_MEMORY = """A result shares no memory with an argument, no later call overwrites it or returns the same memory, unless aliases=True is
declared.

The first result is kept while other calls are made, with other data, forward and backward."""
COMPLETE = """A result is written when it is returned: it does not change while nothing is called.

The results of all functions, of a few thousand elements, are kept for a hundredth of a second. Threads or processes that are not waited for
make a kernel look fast, and what is read meanwhile is wrong."""
IN_BOUNDS = """Nothing beyond an argument is read or written.

Every argument lies inside a larger buffer with 256 bytes of poison before and after it, and once with poison between its rows too. A result
that differs between two poisons was computed from one; a poison that changed was written. What is written beyond a result of the
implementation's own can't be seen."""
EVERY_ELEMENT = """No result depends on what fresh memory held before the call.

The same call is made with memory filled with one byte, then with another: large blocks by glibc's allocator, small ones through the caches
of glibc and NumPy. A number that is wrong and consists of such a byte was never written either. Where memory can't be filled, as on a
device, this is not tested."""

CHECKS = (
    Check("results_are_own_memory", "ordinary", results_are_own_memory, OWN_MEMORY, applies=not_declared_aliasing, cost="protocol"),
    Check("special_results_are_own_memory", "special", results_are_own_memory, OWN_MEMORY, applies=not_declared_aliasing, cost="protocol"),
    Check("results_are_complete", "ordinary", results_are_complete, COMPLETE, cost="protocol"),
    Check("stays_in_bounds", "ordinary", stays_in_bounds, IN_BOUNDS, cost="protocol"),
    Check(
        "writes_every_element", "ordinary", writes_every_element, EVERY_ELEMENT, applies=host_memory, cost="protocol", isolated_only=True
    ),
)
