"""What a script prints and decides, by kind of failure. Its statements set `ok`, or end the script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xentfuzz.failures.failure import CRASH_KINDS, Failure
from xentfuzz.failures.script.autograd import second_backward
from xentfuzz.failures.script.conduct import (
    complete,
    independent_of_fresh_memory,
    leaves_the_process_alone,
    own_memory,
    same_within_other_surroundings,
    untouched_surroundings,
)
from xentfuzz.failures.script.libraries import Library
from xentfuzz.failures.script.literals import nested, number
from xentfuzz.failures.script.shown import Shown
from xentfuzz.failures.source import Source
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import parse_grade
from xentfuzz.recipes.shapes import class_rows

# How the words for an allowed outcome are tested.
OUTCOMES = {
    "NaN": "math.isnan(got)",
    "+inf": "got == inf",
    "-inf": "got == -inf",
    "0": "got == 0",
    "anything": "True",
    "the exact value": "got == exact or abs(got - exact) <= allowed",
}
HELD_AGAINST = (
    "",
    "def right(name, got, exact, allowed):",
    "    error = np.abs(got - exact)",
    '    print(f"{name}: got {got}, exact {exact}, error {error}, allowed {allowed}")',
    "    return bool((error <= allowed).all())",
    "",
)
NAN_IN_ROW = "NaN somewhere in this row"
REPEATS = 100
# The status of what can't be told, as of `xentfuzz replay`.
UNJUDGED = 125
# A race may be lost once in thousands of calls.
SECONDS_IN_THREADS = 5


Verdict = Callable[[Failure, Sequence[Shown], Library], list[str]]


def figures(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """One number against the exact result, or against the outcomes that are allowed."""
    details, variable = failure.details, shown[-1].output(failure)
    index, wanted = tuple(details.get("index") or ()), details.get("wanted") or "the exact value"
    element = f"{variable}[{', '.join(map(str, index))}]" if index else variable
    if wanted == NAN_IN_ROW:
        row = _row_of(index, shown[-1].case)
        return [
            f"row = {library.numbers(variable)}[{row}]",
            'print(f"{row}: one element at least has to be nan")',
            "ok = bool(np.isnan(row).any())",
        ]
    lines = [f"got = float({element})"]
    if "exact" in wanted:
        lines += [f"exact = {number(details['exact'])}", f"allowed = {number(details['allowed'])}"]
    if wanted == "the exact value":
        report = "got {got!r}, exact {exact!r}, error {abs(got - exact):.3g}, allowed error {allowed:.3g}"
    else:
        report = f"got {{got!r}}, allowed: {wanted}" + (" ({exact!r} to within {allowed:.3g})" if "exact" in wanted else "")
    return [*lines, f'print(f"{element}: {report}")', f"ok = {' or '.join(OUTCOMES[word] for word in wanted.split(' or '))}"]


def _row_of(index: tuple[int, ...], case: Case) -> str:
    axis = class_rows(next(iter(case.arrays.values())).shape, case.options).axis
    return ", ".join(":" if place == axis else str(position) for place, position in enumerate(index))


def whole_results(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """Every element of every call against its own exact result: calls that contradict each other can't all be right."""
    lines = [*HELD_AGAINST, "", "ok = True"]
    for call in shown:
        output = "value" if call.function == "forward" else f"grad_{get_operation(call.case.operation).arguments[0].name}"
        variable, expected = call.outputs[output], _expected(call.case, failure, output)
        if expected is not None:
            lines.append(f'ok &= right("{variable}", {library.numbers(variable)}, np.array({expected[0]}), np.array({expected[1]}))')
    return lines


def _expected(case: Case, failure: Failure, output: str) -> tuple[str, str] | None:
    """Exact result and allowed error of a call's output as nested lists; None where they are too many, or no plain numbers."""
    source = failure.source or Source({})
    grade, dtype = parse_grade(source.grade), (source.loss_dtype if output == "value" else None) or case.dtype
    evaluation = get_operation(case.operation).evaluate(case)
    shape = evaluation.shape(output)
    places = np.arange(int(np.prod(shape))).reshape(shape)
    exact, allowed = np.zeros(shape), np.zeros(shape)
    for block in evaluation.blocks(output, grade, dtype):
        if block.outcomes is not None and (block.outcomes != 1).any():
            return None
        np.put(exact, block.select(places), block.exact.astype(np.float64))
        np.put(allowed, block.select(places), block.allowed)
    texts = nested(exact), nested(allowed)
    return None if texts[0] is None or texts[1] is None else (texts[0], texts[1])


def wrong_shape(failure: Failure, shown: Sequence[Shown], _: Library) -> list[str]:
    call, output = shown[-1], str(failure.details.get("output", "value"))
    wanted = get_operation(call.case.operation).evaluate(call.case).shape(output)
    variable = call.output(failure)
    return [
        f"got, wanted = tuple(getattr({variable}, 'shape', ())), {wanted}",
        f'print(f"{variable}: got shape {{got}}, wanted {{wanted}}")',
        "ok = got == wanted",
    ]


def wrong_dtype(failure: Failure, shown: Sequence[Shown], _: Library) -> list[str]:
    variable = shown[-1].output(failure)
    return [
        f"got = str(getattr({variable}, 'dtype', type({variable}).__name__)).rpartition('.')[2]",  # torch's begin with its name
        f"wanted = {str(failure.details.get('exact', failure.dtype))!r}",
        f'print(f"{variable}: got dtype {{got}}, wanted {{wanted}}")',
        "ok = got == wanted",
    ]


def no_exception(_: Failure, shown: Sequence[Shown], __: Library) -> list[str]:
    return [f'print("{shown[-1].function} raised nothing")', "ok = True"]


def is_refused(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    *statements, call = shown[-1].statements
    variable = shown[-1].output(failure)
    nan_too = "or NaN" in failure.headline
    return [
        *statements,
        "try:",
        f"    {call}",
        "except Exception as error:",
        '    print(f"refused, as it should be: {error!r}")',
        "    ok = True",
        "else:",
        f'    print("accepted, and answered with", {variable}, "- wanted: an exception{" or NaN" if nan_too else ""}")',
        f"    ok = {f'bool(np.isnan({library.numbers(variable)}).any())' if nan_too else 'False'}",
    ]


def unchanged(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    call = shown[-1]
    named = failure.details.get("changed") or tuple(call.arguments)
    variables = [variable for name, variable in call.arguments.items() if name in named]
    before = ", ".join(f'"{variable}": {library.bits(variable)}' for variable in variables)
    after = ", ".join(f'"{variable}": {library.bits(variable)}' for variable in variables)
    return [
        f"before = {{{before}}}",
        *call.statements,
        f"after = {{{after}}}",
        "changed = [name for name in before if before[name] != after[name]]",
        'print("changed by the call:", ", ".join(changed) or "nothing")',
        "ok = not changed",
    ]


def same_bits(_: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    call = shown[-1]
    variable = list(call.outputs.values())[-1]
    return [
        "seen = set()",
        f"for _ in range({REPEATS}):",
        *(f"    {statement}" for statement in call.statements),
        f"    seen.add({library.bits(variable)})",
        f'print(f"{REPEATS} calls gave {{len(seen)}} different results")',
        "ok = len(seen) == 1",
    ]


def same_after(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """The last call alone, then after the other ones: the same bits are wanted."""
    *others, last = shown
    variable = last.output(failure)
    attempts = [
        line
        for call in others
        for line in ["try:", *(f"    {statement}" for statement in call.statements), "except Exception as error:", "    print(repr(error))"]
    ]
    return [
        *last.statements,
        f"alone = {library.bits(variable)}",
        *attempts,
        *last.statements,
        f"ok = {library.bits(variable)} == alone",
        'print("the same result after the other calls" if ok else "another result after the other calls")',
    ]


def in_threads(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """Every call alone, then all of them from several threads at once."""
    lines = []
    for number_of_call, call in enumerate(shown):
        lines += [
            f"def call_{number_of_call}():",
            *(f"    {statement}" for statement in call.statements),
            f"    return {library.bits(call.output(failure))}",
            "",
        ]
    calls = ", ".join(f"call_{index}" for index in range(len(shown)))
    return [
        *lines,
        f"calls = [{calls}] * {REPEATS}",
        "# In another thread than this one, too, in which a library may share out its work otherwise.",
        "with ThreadPoolExecutor(1) as one:",
        f"    alone = list(one.map(lambda call: call(), [{calls}])) * {REPEATS}",
        f"end, different, made = time.monotonic() + {SECONDS_IN_THREADS}, 0, 0",
        "sys.setswitchinterval(1e-6)  # threads change places within short calls, too",
        "with ThreadPoolExecutor(8) as pool:",
        "    while not different and time.monotonic() < end:",
        "        together = list(pool.map(lambda call: call(), calls))",
        "        different = sum(one != other for one, other in zip(alone, together))",
        "        made += len(calls)",
        'print(f"{different} of {made} calls gave another result in threads")',
        "ok = not different",
    ]


def survived(_: Failure, shown: Sequence[Shown], __: Library) -> list[str]:
    return [f'print("{shown[-1].function} came back")', "os._exit(SURVIVED)"]


def unjudged(failure: Failure, _: Sequence[Shown], __: Library) -> list[str]:
    return [
        f"# {failure.kind}: this script makes the call, and leaves the judgement to `xentfuzz replay` with the record.",
        'print("the call came back; its effect is not judged here")',
        f"sys.exit({UNJUDGED})",
    ]


# Verdicts that make the calls themselves.
OWN_CALLS: dict[str, Verdict] = {
    "accepted_invalid": is_refused,
    "aliased_result": own_memory,
    "changed_input": unchanged,
    "global_state": leaves_the_process_alone,
    "late_result": complete,
    "nondeterministic": same_bits,
    "out_of_bounds_write": untouched_surroundings,
    "stale_state": same_after,
    "thread_unsafe": in_threads,
    "unwritten_output": independent_of_fresh_memory,
}
AFTER_CALLS: dict[str, Verdict] = {
    "shape": wrong_shape,
    "dtype": wrong_dtype,
    "out_of_bounds_read": same_within_other_surroundings,
    "raised": no_exception,
    "relation": whole_results,
}
# Arguments of other libraries are copies, around which nothing is known.
OF_HOST_MEMORY = {"aliased_result", "out_of_bounds_read", "out_of_bounds_write", "unwritten_output"}
OF_SEVERAL_CALLS = {"out_of_bounds_read", "stale_state"}
# What these find shows in a sequence of its own.
OF_CHECKS: dict[tuple[str, str], Verdict] = {("torch_second_backward", "stale_state"): second_backward}
# What these find does not show in a call by itself.
OF_PROTOCOLS = {
    "forward_mode",
    "second_derivatives",
    "torch_autocast",
    "torch_compiled",
    "torch_current_device",
    "torch_current_stream",
    "torch_custom_operator",
    "torch_gradient_modes",
    "torch_saved_logits",
    "torch_two_losses",
    "vectorised_calls",
}


def verdict(failure: Failure) -> tuple[Verdict, bool]:
    """The verdict for a failure, and whether it makes the calls itself."""
    if failure.kind in CRASH_KINDS:
        return survived, False
    if _is_beyond_a_script(failure):
        return unjudged, False
    if (failure.check, failure.kind) in OF_CHECKS:
        return OF_CHECKS[failure.check, failure.kind], True
    if failure.kind in OWN_CALLS:
        return OWN_CALLS[failure.kind], True
    if failure.kind in AFTER_CALLS:
        return AFTER_CALLS[failure.kind], False
    has_figures = isinstance(failure.details.get("got"), int | float)
    return (figures if has_figures else unjudged), False


def _is_beyond_a_script(failure: Failure) -> bool:
    array = failure.source.array if failure.source else "numpy"
    if failure.kind in OF_HOST_MEMORY and array not in ("numpy", "torch"):
        return True
    if failure.kind == "relation":
        return not failure.calls or not {case.operation for _, case in failure.calls} <= {failure.operation, *failure.siblings}
    return failure.check in OF_PROTOCOLS or (failure.kind in OF_SEVERAL_CALLS and len(failure.calls) < 2)
