"""A finding about an implementation: an AssertionError with the case that shows it, one class for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from xentfuzz.arrays import StridedArray
from xentfuzz.failures.source import Source
from xentfuzz.operations.case import Case
from xentfuzz.recipes.recipe import Recipe

KINDS = {
    "value": "a loss or softmax that no grade of accuracy allows",
    "gradient": "a gradient that no grade of accuracy allows",
    "accuracy": "within a laxer grade of accuracy, but not within the declared one",
    "special": "an outcome that the contract does not allow for a special value",
    "shape": "a result of the wrong shape",
    "dtype": "a result of the wrong dtype",
    "raised": "an exception on a valid case of a declared feature",
    "accepted_invalid": "an answer where an error is required",
    "changed_input": "an argument was overwritten",
    "aliased_result": "a result shares memory with an argument or with an earlier result",
    "late_result": "a result changes after it was returned, without another call",
    "shared_arguments": "a result is wrong where arguments share memory",
    "unwritten_output": "a result holds memory that was never written",
    "out_of_bounds_read": "memory beyond an argument was read",
    "out_of_bounds_write": "memory beyond an argument or a result was written",
    "stale_state": "the result depends on an earlier call",
    "nondeterministic": "the same call gave different bits",
    "thread_unsafe": "calls from several threads disturb each other",
    "global_state": "the process was left changed",
    "segfault": "the process died of a segmentation fault",
    "abort": "the process aborted",
    "exit": "the process exited",
    "hang": "the call did not return in time",
    "out_of_memory": "the call asked for more memory than the limit",
    "output_flood": "the call wrote without end to a standard stream",
    "worker_killed": "the worker was killed from outside",
    "relation": "two results that must agree do not",
}

# The worker did not survive the call.
CRASH_KINDS = ("segfault", "abort", "exit", "hang", "out_of_memory", "output_flood", "worker_killed")


# Kinds that one wrong number shows as, depending on the check that looks; every other kind is a fault of its own.
WRONG_NUMBERS = frozenset({"value", "gradient", "special", "accuracy", "relation"})

# Kinds that are about what one call does to the next: a neighbour that was tried after other calls shows nothing by passing.
OF_SEVERAL_CALLS = frozenset({"stale_state", "nondeterministic", "global_state", "thread_unsafe"})


class Failure(AssertionError):
    """A check that an implementation does not pass, with the smallest case found.

    Attributes: check (name), kind (of KINDS), operation, dtype, message (lines; the first is a headline), recipe (dict), case (argument
    name -> array or option value), details (figures: function, output, index, got, exact, allowed, ratio, wanted; fewer for a crash).
    arrays: the case's arrays with their layout; hashes: argument name -> SHA-256, of a failure that was read from a record.
    options: every option of the case. calls: (function, case) of the calls that show it, in order, where it takes others than one of the
    function in `details` with the case itself. source: how to call the implementation, for the script; siblings: the same for its other
    operations, by name.
    needs: what is special about the case, in words; region: the same as conditions on features of a recipe (see `features.py`).
    alone: False where the case passes in a process that has made no other call.
    dtypes: all in which it was seen. also: other checks that the same bug fails; fails_too: those of them that
    the same case fails, with the dtypes in which they failed. elsewhere: checks in which other cases
    raise the same exception. record: the file that it was stored in, "" before that.
    unscriptable: why no script could be written for it.
    """

    kind = "value"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.calls: tuple[tuple[str, Case], ...] = details.pop("calls", ())
        self.details = details
        self.check = ""
        self.operation = ""
        self.dtype = ""
        self.implementation = ""
        self.recipe: dict[str, Any] = {}
        self.case: dict[str, Any] = {}
        self.arrays: dict[str, StridedArray] = {}
        self.options: dict[str, Any] = {}
        self.source: Source | None = None
        self.siblings: Mapping[str, Source] = {}
        self.hashes: dict[str, str] = {}
        self.needs: tuple[str, ...] = ()
        self.region: Mapping[str, Any] = {}
        self.alone = True
        self.dtypes: tuple[str, ...] = ()
        self.also: list[str] = []
        self.elsewhere: list[str] = []
        self.fails_too: dict[str, tuple[str, ...]] = {}
        self.record = ""
        self.unscriptable = ""

    def __reduce__(self) -> tuple[Any, ...]:
        # The classes are made by kind, so pickle can't find them by name.
        return failure, (self.kind, self.message), self.__dict__

    def about(self, check: str, implementation: str, recipe: Recipe, case: Case) -> Failure:
        """The failure itself, with the place where it was found."""
        self.check, self.implementation = check, implementation
        self.operation, self.dtype = case.operation, case.dtype
        self.recipe = recipe.to_dict()
        self.arrays, self.options = dict(case.arrays), dict(case.options)
        self.case = {**{name: array.view() for name, array in case.arrays.items()}, **case.options}
        return self

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    def finish(self) -> None:
        """Say in the message what was learned after the failure was raised: the features that it needs, other dtypes, related checks."""
        if self.needs:
            self.message += f"\nneeds {listed(self.needs)}"
        others = [name for name in self.dtypes if name != self.dtype]
        if others:
            self.message += f"\nalso in {', '.join(others)}"
        if self.also:
            self.message += f"\nthe same case fails {', '.join(self.also)}"
        if self.elsewhere:
            self.message += f"\nthe same exception in other cases of {', '.join(self.elsewhere)}"
        self.args = (self.message,)

    def _repr_html_(self) -> str:
        # Reports know failures and not the other way round.
        frame: str = import_module("xentfuzz.reports.html.single").failure_frame(self)
        return frame

    def script(self) -> str:
        """A Python script that reproduces this failure alone, in the implementation's own library."""
        from xentfuzz.failures.script import reproducer  # noqa: PLC0415 - the script's templates are needed only by failures

        return reproducer(self)


def listed(words: Sequence[str]) -> str:
    """Words as a person lists them: "a weight, 2 rows and an ignored row"."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _failure_class(kind: str) -> type[Failure]:
    # Hypothesis tells failures apart by type and line, so that a NaN never shrinks into a rounding error.
    return type("".join(word.title() for word in kind.split("_")) + "Failure", (Failure,), {"kind": kind, "__doc__": KINDS[kind]})


FAILURES: dict[str, type[Failure]] = {kind: _failure_class(kind) for kind in KINDS}


def failure(kind: str, message: str, **details: Any) -> Failure:
    """A failure of the given kind, to raise."""
    return FAILURES[kind](message, **details)
