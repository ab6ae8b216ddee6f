"""What an operation is made of: arguments, options and relations, as data, and the evaluation of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.errors import require_known
from xentfuzz.implementation import RANKS
from xentfuzz.operations import kinds
from xentfuzz.operations.bounds import Rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import Grade

Array = np.ndarray[Any, Any]

# What checks ask of an operation, whatever its name: what it says of itself, and what follows from the rest that it states.
STATED = {
    "rows and classes": "its arrays are made of the rows and classes of the first one, and may have more or fewer of both",
    "loss": "its result is a loss for each row, of a target, put together by `reduction`",
}
TRAITS = {
    **STATED,
    "along a vector": "it states its derivatives along a vector",
    "several gradients": "more than one of its arguments has a gradient",
}


@dataclass(frozen=True)
class Argument:
    """An array argument. `kind` names the generator of its values: "logits", "log_probs", "target", "weight" or "upstream".

    axes: their names, the same for the same length in all arguments, such as ("N", "D") and ("V", "D"); () for the shape that its kind has
    beside logits of any rank. spellings: what others call it that no similarity of letters finds.
    """

    name: str
    kind: str
    optional: bool = False
    differentiable: bool = False
    axes: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """A keyword argument that is no array.

    default: passed implicitly; `always` options (axis) are passed even so. `values` are the ones that a case may draw, simplest first; a
    function of (shape of the first argument, target kind) where they depend on it. `opt_in`: drawn only for signatures that name it.
    invalid: values that must raise. spellings: what others call it that no similarity of letters finds.
    """

    name: str
    default: Any
    values: tuple[Any, ...] | Callable[[tuple[int, ...], str], tuple[Any, ...]]
    always: bool = False
    opt_in: bool = False
    summary: str = ""
    invalid: tuple[Any, ...] = ()
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A point on which the contract allows several outcomes; reports say which one an implementation chose."""

    name: str
    summary: str


@dataclass(frozen=True)
class Work:
    """The least that computing a result can do, in numbers of elements of the first argument: read from memory, written, exponentials."""

    reads: float = 0.0
    writes: float = 0.0
    exponentials: float = 0.0


@dataclass(frozen=True)
class WorstCase:
    """Bounds of a case that need no exact result, for relations at any size; see `worst_case.py`.

    value: (case, rounding) -> the bound and the largest |value|, which broadcast with each other and with the value's rows. gradient: the
    bound of the first argument's gradient, (rows, classes). gradient_sum: of its sum over the classes, (rows,), where that is 0.
    """

    value: Callable[[Case, Rounding], tuple[Array, Array]]
    gradient: Callable[[Case, Grade], Array]
    gradient_sum: Callable[[Case, Grade], Array] | None = None


@dataclass(frozen=True)
class Plain:
    """What anybody writes first, see `plain.py`: (case, dtype of the result) -> the value, and the first argument's gradient."""

    value: Callable[[Case, str], Array]
    gradient: Callable[[Case, str], Array]


@dataclass(frozen=True)
class Operation:
    """One member of the family, as a specification.

    arguments: the first one is the array that the gradient is taken of; "grad_output" is not listed.
    evaluate: exact results and bounds of a case. relations: identities that hold without an exact result (see `relation.py`).
    result_word: what its result is called in a finding. value_word: in a benchmark.
    value_work, gradient_work: of the result alone, and of it with its gradient.
    result_axes: the axes of its value, where those of its arguments have names. families: the kinds of input that its exact result is
    defined for, of `xentfuzz.recipes.space.FAMILIES`.
    timed_sizes: how long the named axes that the first argument does not have are in what a benchmark times.
    stated: which of STATED hold. worst_case, plain: None where nobody has stated them. along: the evaluation of a case's derivatives along
    a vector, of the first argument's shape and dtype: its "value" is the Jacobian times the vector, "grad_<first argument>" the Hessian.
    """

    name: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    policies: tuple[Policy, ...]
    evaluate: Callable[[Case], Evaluation]
    relations: tuple[Any, ...] = ()
    result_word: str = ""
    value_word: str = ""
    value_work: Work = Work()
    gradient_work: Work = Work()
    result_axes: tuple[str, ...] | None = None
    timed_sizes: Mapping[str, int] = field(default_factory=dict)
    families: tuple[str, ...] = ("ordinary", "special", "robust")
    stated: tuple[str, ...] = ()
    worst_case: WorstCase | None = None
    plain: Plain | None = None
    along: Callable[[Case, Array], Evaluation] | None = None
    defaults: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        require_known("trait of an operation", self.stated, STATED)
        object.__setattr__(self, "defaults", {option.name: option.default for option in self.options})

    @cached_property
    def traits(self) -> frozenset[str]:
        """Which of TRAITS hold."""
        several = sum(argument.differentiable for argument in self.arguments) > 1
        derived = (("along a vector", self.along is not None), ("several gradients", several))
        return frozenset(self.stated) | {name for name, holds in derived if holds}

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """Of the first argument: any, unless its axes have names."""
        axes = self.arguments[0].axes
        return (len(axes),) if axes else RANKS

    @cached_property
    def further_axes(self) -> tuple[str, ...]:
        """The named axes that the first argument does not have."""
        named = (axis for argument in self.arguments for axis in argument.axes)
        return tuple(dict.fromkeys(axis for axis in named if axis not in self.arguments[0].axes))

    @cached_property
    def target(self) -> Argument | None:
        """What its loss is of: the classes of its rows."""
        return self._of_kind(kinds.TARGET)

    @cached_property
    def weight(self) -> Argument | None:
        """What the losses of each class are multiplied by."""
        return self._of_kind(kinds.WEIGHT)

    def _of_kind(self, kind: str) -> Argument | None:
        return next((argument for argument in self.arguments if argument.kind == kind), None)

    @cached_property
    def spellings(self) -> dict[str, str]:
        """What others call an argument or option -> its name."""
        named: tuple[Argument | Option, ...] = (*self.arguments, *self.options)
        return {spelling: one.name for one in named for spelling in one.spellings}

    @cached_property
    def target_kinds(self) -> tuple[str, ...]:
        """Of "index" and "probabilities", what its target may be: only probabilities can be differentiated. () without a target."""
        if self.target is None:
            return ()
        return ("index", "probabilities") if self.target.differentiable else ("index",)
