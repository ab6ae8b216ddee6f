"""A case as people who write property tests meet it: arguments to call a kernel with, and a repr that is code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, dtype_name, numpy_dtype
from xentfuzz.errors import RecordError, UsageError, require_known
from xentfuzz.failures.script.literals import nested, number
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import GRAD_OUTPUT, Recipe, recipe_from
from xentfuzz.worker.libraries.library import Collected, Unsupported

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False, repr=False)
class DrawnCase(Case):
    """One call of an operation. recipe: what its arrays were expanded from, None where they were given.

    repr() is code: a call of `xentfuzz.case` that makes the same case, its numbers written out where a person can read them.
    """

    recipe: Recipe | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for a kernel: fresh NumPy arrays in the case's layouts, and the options that differ from their defaults."""
        arrays = {name: array.fresh().view() for name, array in self.arrays.items() if name != GRAD_OUTPUT}
        return arrays | self._passed_options()

    @property
    def grad_output(self) -> Array:
        """The upstream gradient, of the value's shape, that a `gradient` for `assert_correct` is taken with; ones where none was given."""
        given = self.arrays.get(GRAD_OUTPUT)
        if given is not None:
            return given.fresh().view()
        shape = get_operation(self.operation).evaluate(self).shape("value")
        return np.ones(shape, self.values[get_operation(self.operation).arguments[0].name].dtype)

    def torch(self) -> dict[str, Any]:
        """`arguments` with torch tensors for arrays, contiguous where torch cannot hold the layout. Raises ImportError without torch."""
        arrays = {name: _tensor(array) for name, array in self.arrays.items() if name != GRAD_OUTPUT}
        return arrays | self._passed_options()

    def torch_grad_output(self) -> Any:
        """`grad_output` as a torch tensor. Raises ImportError without torch."""
        return _tensor(StridedArray.of(self.grad_output))

    def _passed_options(self) -> dict[str, Any]:
        always = {option.name for option in get_operation(self.operation).options if option.always}
        defaults = get_operation(self.operation).defaults
        return {name: value for name, value in self.options.items() if name in always or value != defaults[name]}

    def __repr__(self) -> str:
        written = {name: _literal(array) for name, array in self.arrays.items()}
        if self.recipe is not None and None in written.values():
            return f"xentfuzz.case({self.recipe.one_line()!r})"
        shown = [f"{name}={text or f'<{self.arrays[name].dtype} {self.arrays[name].shape}>'}" for name, text in written.items()]
        options = [f"{name}={number(value)}" for name, value in self._passed_options().items()]
        return f"xentfuzz.case({', '.join([repr(self.operation), *shown, *options])})"


def case(operation: str, /, **arguments: Any) -> DrawnCase:
    """The case of a call, from its arguments, or from the line of a recipe alone.

    operation: "cross_entropy", "nll_loss", "softmax" or "log_softmax"; or a recipe as reports print it. arguments: the operation's arrays
    (NumPy; the first one's dtype is float16, bfloat16, float32 or float64) and options, and `grad_output`, an upstream gradient.
    Raises UsageError for arguments that do not fit, UnknownName for unknown ones, RecordError for what is no recipe.
    """
    if operation.lstrip().startswith("{"):
        if arguments:
            raise UsageError(f"a recipe holds its arguments: leave out {', '.join(arguments)}")
        return from_recipe(recipe_from(operation))
    known = get_operation(operation)
    names = [argument.name for argument in known.arguments]
    require_known(f"argument of {operation}", arguments, [*names, GRAD_OUTPUT, *known.defaults])
    missing = [argument.name for argument in known.arguments if not argument.optional and arguments.get(argument.name) is None]
    if missing:
        raise UsageError(f"{operation} needs {' and '.join(missing)}: give NumPy arrays")
    given = [name for name in (*names, GRAD_OUTPUT) if arguments.get(name) is not None]
    arrays = {name: StridedArray.of(np.asarray(arguments[name])) for name in given}
    if arrays[names[0]].dtype not in FLOAT_NAMES:
        raise UsageError(f"{names[0]} is {arrays[names[0]].dtype}, wanted one of {', '.join(FLOAT_NAMES)}")
    opt_in = {option.name for option in known.options if option.opt_in}
    options = {name: arguments.get(name, default) for name, default in known.defaults.items() if name in arguments or name not in opt_in}
    return DrawnCase(operation, arrays[names[0]].dtype, arrays, options)


def from_recipe(recipe: Recipe) -> DrawnCase:
    """The case that a recipe describes. Raises RecordError where it is of a recording that is not written out in it."""
    if not recipe.complete:
        raise RecordError("the recipe names recorded arrays that it does not hold; use the failure's record instead")
    plain = expand(recipe)
    return DrawnCase(plain.operation, plain.dtype, plain.arrays, plain.options, recipe)


def _literal(array: StridedArray) -> str | None:
    """The array as an expression with NumPy's names; None where it is too large to be read or its layout is a part of the case."""
    values = array.view()
    if not (values.flags.c_contiguous and values.flags.writeable and values.flags.aligned) or array.storage.size != values.nbytes:
        return None
    text = nested(values)
    return None if text is None else f"np.array({text}, {dtype_name(values.dtype)!r})"


def numpy_of(tensor: Any) -> Array:
    """A torch tensor as a NumPy array, bfloat16 as that of ml_dtypes."""
    from xentfuzz.worker.libraries.torch_tensors import TorchTensors  # noqa: PLC0415

    collected = TorchTensors("cpu").collect(tensor)
    assert isinstance(collected, Collected)
    return collected.bits.view(numpy_dtype(collected.dtype))


def _tensor(array: StridedArray) -> Any:
    """As a torch tensor: contiguous where torch cannot hold the layout."""
    try:
        from xentfuzz.worker.libraries.torch_tensors import TorchTensors  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("torch is not installed; `pip install 'xentfuzz[torch]'` brings it") from error
    tensors = TorchTensors("cpu")
    try:
        return tensors.load(array.fresh())
    except Unsupported:
        return tensors.load(StridedArray.of(array.view()))
