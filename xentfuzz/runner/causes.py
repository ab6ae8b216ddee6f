"""Whether what was found has the cause of a finding made before: told by trying again, not by names.

Nobody can mend the first cause to see what is left of the second. What can be done instead, and is done here:

- Wrong numbers: a finding says what it needs, and passes without it; so a case that lacks that and fails has another cause. One that has it
  is put down to the finding where a result that the finding has wrong is wrong there too, or its own case fails the other check.
- Errors of a laxer grade: what passes once that grade is declared is the same loss of accuracy.
- Memory: what no longer differs from call to call once the memory around the arguments is known, or without what the reading needs.
- Premises: threads prove nothing about calls that differ by themselves, nor any check of what rests on a buffer that another call owns.
- Forms of input: what neither raises nor computes right, and passes without the form, is the same want of it, however the calls end.
- Exceptions: one text is one place in the code. Crashes: one kind is one cause, as each costs a worker or a time limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import replace

from xentfuzz.checks.check import Check
from xentfuzz.checks.registry import find_check
from xentfuzz.checks.repeat import JUDGES
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.explain_case import neighbours_without
from xentfuzz.failures.failure import CRASH_KINDS, WRONG_NUMBERS, Failure
from xentfuzz.failures.variants import ignores_rows, none_ignored
from xentfuzz.operations.case import Case
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.runner.contestant import Contestant, Found, Seen
from xentfuzz.runner.examine import examine, trial_of
from xentfuzz.runner.neutral import SIXTEEN_BIT_GRADE, recorded, with_grade, with_known_memory_around, without_ignored_rows
from xentfuzz.runner.region import has, has_case, region_of
from xentfuzz.runner.unknown_forms import endings_of, unknown_form
from xentfuzz.subjects.outcome import Call

# Cases of one kind in one check that are tried again, and calls of each that are held against their own exact result.
TRIED_CASES = 3
TRIED_CALLS = 40
# A number that is made of chance is asked for so many times, with other calls between.
TIMES = 3

# What was read or written where nothing was promised to be may change anything after it.
OUT_OF_BOUNDS = frozenset({"out_of_bounds_read", "out_of_bounds_write"})
MEMORY = OUT_OF_BOUNDS | {"unwritten_output"}
# What fresh memory holds, or a thread has written by then.
UNWRITTEN = MEMORY | {"late_result"}
VARYING = frozenset({"nondeterministic", "thread_unsafe", "stale_state", "global_state", "aliased_result", "shared_arguments", *UNWRITTEN})
# kind of a finding -> kinds that rest on its not being there, where its own check fails on the same case.
PREMISES = {
    **dict.fromkeys(OUT_OF_BOUNDS, VARYING | WRONG_NUMBERS | {"changed_input", "raised", "segfault", "abort"}),
    "unwritten_output": VARYING | WRONG_NUMBERS,
    "late_result": VARYING | WRONG_NUMBERS,
    "nondeterministic": frozenset({"thread_unsafe", "unwritten_output", "stale_state", "shared_arguments"}) | WRONG_NUMBERS,
    "stale_state": frozenset({"thread_unsafe", "nondeterministic", "stale_state", "shared_arguments"}) | WRONG_NUMBERS,
    "aliased_result": frozenset({"thread_unsafe", "stale_state", "nondeterministic"}),
    "changed_input": frozenset({"thread_unsafe", "stale_state", "nondeterministic", "aliased_result", "shared_arguments"}),
    "shared_arguments": frozenset({"thread_unsafe"}),
}
# Kinds that say in words what happened: other words are another cause.
TOLD_BY_WORDS = frozenset({"raised", "global_state", "shape"})


def left_of(contestant: Contestant, failure: Failure, found: Found) -> Found | None:
    """What of `found` the cause of `failure` does not explain: all of it, None, or the cases that are beyond it."""
    kinds = {failure.kind, found.failure.kind}
    if not (found.recipe.complete and recipe_from(failure.recipe).complete):
        # A recording that is too large to be written out can't be tried again.
        return None if len(kinds) == 1 or kinds <= WRONG_NUMBERS else found
    if kinds <= WRONG_NUMBERS:
        return _left_of_numbers(contestant, failure, found)
    left = _left_of_another_kind(contestant, failure, found)
    form = unknown_form(failure)
    return left if left is None or form is None else _left_of_form(contestant, form, left)


def _left_of_another_kind(contestant: Contestant, failure: Failure, found: Found) -> Found | None:
    kinds = {failure.kind, found.failure.kind}
    if len(kinds) == 1 and kinds <= TOLD_BY_WORDS:
        return _with_other_words(contestant, failure, found)
    if found.failure.kind in PREMISES.get(failure.kind, ()):
        return _without_symptoms(contestant, failure, found)
    return None if _same_fault(contestant, failure, found) else found


def _same_fault(contestant: Contestant, failure: Failure, found: Found) -> bool:
    kind = found.failure.kind
    if failure.kind in CRASH_KINDS or kind in CRASH_KINDS:
        # A test of arguments that is missing lets some of them be answered and others end the process.
        unchecked = {failure.kind, kind} <= {*CRASH_KINDS, "accepted_invalid"} and failure.check == found.check.name
        return failure.kind == kind or unchecked
    if failure.kind == "accepted_invalid" and failure.check != found.check.name:
        return False  # what one lacks is another test than what the other lacks
    return failure.kind == kind and _fails_on_its_case(contestant, failure, found)


def _left_of_form(contestant: Contestant, form: str, found: Found) -> Found | None:
    """Without the cases that have a form of input which is not handled, and pass without it."""
    if found.failure.kind not in endings_of(form):
        return found
    # That 16-bit results are rounded too much, with the form and without, is a cause of its own.
    allowing = contestant if found.failure.kind == "accuracy" else with_grade(contestant, SIXTEEN_BIT_GRADE, ("float16", "bfloat16"))
    kinds = WRONG_NUMBERS if found.failure.kind in WRONG_NUMBERS else {found.failure.kind}
    tried = found.seen[:TRIED_CASES]
    left = [seen for seen in tried if not _passes_without(allowing, [form], found, seen.recipe, kinds)]
    return _left(contestant, found, left) if len(left) < len(tried) else found


# ---- wrong numbers


def _left_of_numbers(contestant: Contestant, failure: Failure, found: Found) -> Found | None:
    if "meets" in failure.details:
        laxer = with_grade(contestant, failure.details["meets"], tuple({failure.dtype, *failure.dtypes}))
        return _left(contestant, found, [seen for seen in found.seen if _fails(laxer, found.check, seen.recipe)])
    region = region_of(failure)
    shares = failure.check == found.check.name or _fails_on_its_case(contestant, failure, found)
    others = [seen for seen in found.seen if not (shares and has(region, seen.recipe))]
    rests = _resting_on(contestant, failure, found.check)
    left = [seen for seen in others[:TRIED_CASES] if not rests(seen.recipe)]
    return _left(contestant, found, [*left, *others[TRIED_CASES:]]) if left else None


def _resting_on(contestant: Contestant, failure: Failure, check: Check) -> Callable[[Recipe], bool]:
    """Whether one of the calls that a check makes on a case is wrong by itself, in a function and a region in which `failure` is."""
    region = region_of(failure)
    functions = set(_wrong_functions(contestant, trial_of(contestant, expand(recipe_from(failure.recipe)))))

    def rests(recipe: Recipe) -> bool:
        if not functions:
            return has(region, recipe) and check.name in _identities(contestant) and _fails(contestant, find_check(failure.check), recipe)
        watched, calls = recorded(contestant)
        examine(watched, check, recipe)
        near = (case for case in _cases(contestant, calls, functions) if has_case(region, case))
        return any(functions.intersection(_wrong_functions(contestant, trial_of(contestant, case))) for case in near)

    return rests


def _identities(contestant: Contestant) -> set[str]:
    return {relation.name for relation in contestant.operation.relations}


def _cases(contestant: Contestant, calls: Sequence[Call], functions: set[str]) -> Iterator[Case]:
    first = contestant.operation.arguments[0].name
    for call in [call for call in calls if call.function in functions][:TRIED_CALLS]:
        yield Case(contestant.operation.name, call.arrays[first].dtype, call.arrays, call.options)


def _wrong_functions(contestant: Contestant, trial: Trial) -> Iterator[str]:
    """The functions whose plain result is wrong on a case."""
    for function in contestant.subject.capabilities.functions:
        try:
            JUDGES[function](trial)
        except Unsupported:
            continue
        except Failure as found:
            if found.kind in WRONG_NUMBERS:
                yield function


def _fails_on_its_case(contestant: Contestant, failure: Failure, found: Found) -> bool:
    """Whether the check that `found` is of fails in the same way on the case of `failure`."""
    verdict = examine(contestant, found.check, recipe_from(failure.recipe))
    if not isinstance(verdict, Failure):
        return False
    failure.fails_too[found.check.name] = tuple(found.dtypes)
    return verdict.kind == found.failure.kind or {verdict.kind, found.failure.kind} <= WRONG_NUMBERS


# ---- memory, state and threads


def _without_symptoms(contestant: Contestant, failure: Failure, found: Found) -> Found | None:
    """What is left once the cases are gone that owe what they show to the fault of `failure`."""
    tried = found.seen[:TRIED_CASES]
    left = [seen for seen in tried if not _owed_to(contestant, failure, found, seen.recipe)]
    if failure.kind == found.failure.kind and left and _fails_on_its_case(contestant, failure, found):
        return None
    return _left(contestant, found, left) if len(left) < len(tried) else found


def _owed_to(contestant: Contestant, failure: Failure, found: Found, recipe: Recipe) -> bool:
    """Whether the check passes once the memory that is read is known, or once the case lacks what the reading needs.

    Where neither can be arranged, a premise that does not hold on the case itself takes its proof away.
    """
    out_of_bounds = failure.kind in OUT_OF_BOUNDS
    if out_of_bounds and any(not _fails(changed, found.check, recipe) for changed in with_known_memory_around(contestant)):
        return True
    if _varies(contestant, failure, found, recipe):
        return True
    numbers, varying = found.failure.kind in WRONG_NUMBERS, found.failure.kind in VARYING
    if not varying and not (numbers and failure.kind in UNWRITTEN):
        return False
    # What lies beyond a copy that a library has made of its own changes only now and then.
    premise_fails = any(_fails(contestant, find_check(failure.check), recipe) for _ in range(TIMES if out_of_bounds else 1))
    if premise_fails and not out_of_bounds:
        return True
    return (premise_fails or varying) and _passes_without(contestant, failure.needs, found, recipe)


def is_void(contestant: Contestant, failure: Failure, varying: Failure) -> bool:
    """Whether a result that differs between two poisons proves nothing: calls differ on that case with known memory around it, too."""
    if failure.kind != "out_of_bounds_read" or varying.kind != "nondeterministic":
        return False
    check, recipe = find_check(varying.check), recipe_from(failure.recipe)
    return all(_fails(changed, check, recipe) for changed in with_known_memory_around(contestant))


def _varies(contestant: Contestant, failure: Failure, found: Found, recipe: Recipe) -> bool:
    """Whether a wrong number is another one each time, or right at times: that is no arithmetic."""
    if found.failure.kind not in WRONG_NUMBERS:
        return False
    told = set()
    for _ in range(TIMES):
        verdict = examine(contestant, found.check, recipe)
        told.add(str(verdict.details.get("got")) if isinstance(verdict, Failure) else "")
        examine(contestant, find_check(failure.check), recipe_from(failure.recipe))
    return len(told) > 1


def _passes_without(contestant: Contestant, features: Collection[str], found: Found, recipe: Recipe, kinds: Collection[str] = ()) -> bool:
    """Whether the check passes on neighbours that lack one of these features; a few rows are needed by too much to tell.

    kinds: other kinds of failures count as passing.
    """
    needs = [words for words in features if not _FEW_ROWS.fullmatch(words)]
    if "an ignored row" not in needs:
        return any(not _fails(contestant, found.check, neighbour, kinds) for neighbour in neighbours_without(recipe, needs))
    # Some checks ignore rows of their own accord.
    plain = none_ignored(recipe) if ignores_rows(recipe) else recipe
    return not _fails(without_ignored_rows(contestant), found.check, plain, kinds)


def _fails(contestant: Contestant, check: Check, recipe: Recipe, kinds: Collection[str] = ()) -> bool:
    verdict = examine(contestant, check, recipe)
    return isinstance(verdict, Failure) and (not kinds or verdict.kind in kinds)


# ---- what is told by words

# Shapes and other figures of the case at hand, and the function that an exception came through.
_FIGURES = re.compile(r"[\d(\[-][\d.,\s()\[\]eE+-]*")
_SHAPE, _NUMBER = re.compile(r"\([\d, ]*\)"), re.compile(r"\d+")
_FEW_ROWS = re.compile(r"\d rows")
_THROUGH, _FUNCTION = re.compile(r"^\w+ raised "), re.compile(r"^\w+: ")


def same_words(failure: Failure, other: Failure) -> bool:
    """Whether both say the same but for figures; an exception is one wherever it came through."""
    return failure.kind == other.kind and _words(failure) == _words(other)


def _words(failure: Failure) -> str:
    if failure.kind == "shape":
        said = _FUNCTION.sub("", failure.headline).partition(";")[0]
        return _SHAPE.sub(lambda shape: f"of rank {min(len(_NUMBER.findall(shape[0])), 1)}", said)
    return _FIGURES.sub("#", _THROUGH.sub("", failure.headline))


def _with_other_words(contestant: Contestant, failure: Failure, found: Found) -> Found | None:
    if len(found.others) == 0 or failure.kind != "raised":
        same = same_words(failure, found.failure)
        return None if same or (failure.kind == "global_state" and _fails_on_its_case(contestant, failure, found)) else found
    return _left(contestant, found, [seen for seen in found.seen if not same_words(failure, _again(contestant, found, seen))])


# ---- what is left


def _again(contestant: Contestant, found: Found, seen: Seen) -> Failure:
    """The failure of a case that was kept without it."""
    if seen.recipe == found.recipe:
        return found.failure
    verdict = examine(contestant, found.check, seen.recipe)
    return verdict if isinstance(verdict, Failure) and verdict.kind == found.failure.kind else found.failure


def _left(contestant: Contestant, found: Found, cases: Sequence[Seen]) -> Found | None:
    """`found` with nothing but some of its cases, the first of which fails in its way again; None without one."""
    if len(cases) == len(found.seen):
        return found
    for number, seen in enumerate(cases):
        verdict = found.failure if seen.recipe == found.recipe else examine(contestant, found.check, seen.recipe)
        if isinstance(verdict, Failure) and verdict.kind == found.failure.kind:
            others: dict[Hashable, Seen] = dict(enumerate(cases[number + 1 :]))
            dtypes = list(dict.fromkeys(one.recipe.dtype for one in cases[number:]))
            return replace(found, recipe=seen.recipe, failure=verdict, origin=seen.origin, dtypes=dtypes, others=others)
    return None
