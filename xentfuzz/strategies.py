"""Hypothesis strategies for everybody's own property tests.

    from hypothesis import given
    from xentfuzz import assert_correct
    from xentfuzz.strategies import cases

    @given(cases("cross_entropy", dtypes=("float32",)))
    def test_mine(case):
        assert_correct(case, my_kernel(**case.arguments))

`cases` draws whole calls, with every regime of logits, target, weight, option, shape and layout that `xentfuzz check` draws;
`logits`, `targets` and `weights` draw single arrays of a given shape. Arguments are checked when a strategy is made. What is drawn shrinks
towards two rows of two classes, ordinary numbers, default options and contiguous arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from xentfuzz.drawn_case import DrawnCase, from_recipe
from xentfuzz.dtypes import FLOAT_NAMES, TARGET_NAMES
from xentfuzz.errors import UnknownName
from xentfuzz.implementation import DEFAULT_OPERATION, RANKS
from xentfuzz.operations import get_operation, operation_names
from xentfuzz.operations.operation import Operation
from xentfuzz.operations.options import AXIS, IGNORE_INDEX
from xentfuzz.recipes.draft import Draft, draw_array, without
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.ordinary import draw_first, draw_layouts, draw_seed, draw_target
from xentfuzz.recipes.recipe import ArrayRecipe
from xentfuzz.recipes.space import Space
from xentfuzz.recipes.strategies import HypothesisChoices, recipes
from xentfuzz.recipes.weight import WEIGHT

Array = np.ndarray[Any, Any]

__all__ = ["cases", "logits", "targets", "weights"]


def cases(
    operation: str = DEFAULT_OPERATION,
    *,
    dtypes: Sequence[str] = FLOAT_NAMES,
    targets: Sequence[str] | None = None,
    target_dtypes: Sequence[str] = ("int64",),
    options: Mapping[str, Sequence[Any] | None] | Sequence[str] | None = None,
    weight: bool = True,
    ranks: Sequence[int] = RANKS,
    layouts: Sequence[str] | None = None,
    max_classes: int | None = None,
    max_elements: int = 1024,
    special_values: bool = False,
) -> st.SearchStrategy[DrawnCase]:
    """Calls of an operation.

    operation: "cross_entropy", "nll_loss", "softmax" or "log_softmax". dtypes: of the logits. targets: "index", "probabilities" (None: what
    the operation takes). target_dtypes: of class indices. options: names of those that may differ from their default, or name -> the values
    that may be drawn (None: all); None: every option. weight: whether class weights may be given. ranks: of the logits. layouts: names of
    memory layouts, ("contiguous",) for plain arrays; None: all. max_classes, max_elements: of the logits. special_values: infinities, NaN,
    empty batches and the like in place of finite logits. Raises InvalidArgument, naming the argument, for anything else.
    """
    known = _known_operation(operation)
    kinds = known.target_kinds
    if targets is not None and kinds:
        _require_all("targets", targets, kinds)
    _require_all("dtypes", dtypes, FLOAT_NAMES)
    _require_all("target_dtypes", target_dtypes, TARGET_NAMES)
    _require_all("ranks", ranks, RANKS)
    if layouts is not None:
        _require_all("layouts", layouts, tuple(LAYOUTS))
    _require_flag("weight", weight)
    _require_flag("special_values", special_values)
    _require_count("max_elements", max_elements)
    if max_classes is not None:
        _require_count("max_classes", max_classes)
    spaces = [
        Space(
            operation,
            dtype,
            "special" if special_values else "ordinary",
            targets=tuple(targets or kinds),
            target_dtypes=tuple(target_dtypes),
            ranks=tuple(ranks),
            layouts=None if layouts is None else tuple(layouts),
            weight=weight,
            options=_drawn_options(known, options),
            largest=max_elements,
            long=max_elements,
            largest_class_count=max_classes,
        )
        for dtype in dtypes
    ]
    return st.one_of([recipes(space) for space in spaces]).map(from_recipe)


def logits(shape: Sequence[int], *, dtype: str = "float32", layouts: Sequence[str] = ("contiguous",)) -> st.SearchStrategy[Array]:
    """Finite logits of that shape, (C,), (N, C) or (N, C, d1, ...), in every regime: ordinary, offset, peaked, tied, at the ends of a sum.

    layouts: names of memory layouts. Raises InvalidArgument, naming the argument.
    """
    classes, positions = _loss_shape("shape", shape)
    _require_all("dtype", (dtype,), FLOAT_NAMES)
    _require_all("layouts", layouts, tuple(LAYOUTS))

    def fill(draft: Draft) -> None:
        draw_first(draft)

    return _arrays(Space("log_softmax", dtype, layouts=tuple(layouts)), classes, positions, "logits", fill)


def targets(
    shape: Sequence[int],
    *,
    kind: str = "index",
    dtype: str | None = None,
    ignore_index: int | None = None,
) -> st.SearchStrategy[Array]:
    """Targets for logits of that shape: class indices of shape (), (N,) or (N, d1, ...), or class probabilities of the logits' shape.

    kind: "index" or "probabilities". dtype: int64 for indices and float32 for probabilities unless given. ignore_index: a value that some
    rows may have; None: no row is ignored. Raises InvalidArgument, naming the argument.
    """
    classes, positions = _loss_shape("shape", shape)
    operation = get_operation(DEFAULT_OPERATION)
    _require_all("kind", (kind,), operation.target_kinds)
    indices = kind == "index"
    name = dtype or ("int64" if indices else "float32")
    _require_all("dtype", (name,), TARGET_NAMES if indices else FLOAT_NAMES)
    options: dict[str, tuple[Any, ...]] = {} if ignore_index is None else {IGNORE_INDEX.name: (ignore_index,)}

    def fill(draft: Draft) -> None:
        draft.target = kind
        draft.options = {} if ignore_index is None else {IGNORE_INDEX.name: ignore_index}
        draft.arrays["logits"] = ArrayRecipe()
        draw_target(draft)

    space = Space(
        DEFAULT_OPERATION,
        "float32" if indices else name,
        target_dtypes=(name if indices else "int64",),
        layouts=("contiguous",),
        options=options,
    )
    return _arrays(space, classes, positions, "target", fill)


def weights(classes: int, *, dtype: str = "float32", negative: bool = False) -> st.SearchStrategy[Array]:
    """Class weights, (classes,): ones, decades apart, tiny ones, zeros among them; negative ones where these are asked for.

    Raises InvalidArgument, naming the argument.
    """
    _require_count("classes", classes)
    _require_all("dtype", (dtype,), FLOAT_NAMES)
    _require_flag("negative", negative)

    def fill(draft: Draft) -> None:
        draft.target = "index"
        draft.arrays["logits"] = ArrayRecipe()
        draft.arrays["target"] = ArrayRecipe("uniform")
        draft.arrays["weight"] = draw_array(draft, "weight", WEIGHT, without(*(() if negative else ("negative", "mixed_signs"))))

    return _arrays(Space(DEFAULT_OPERATION, dtype, layouts=("contiguous",)), classes, (1,), "weight", fill)


def _arrays(space: Space, classes: int, positions: tuple[int, ...], name: str, fill: Callable[[Draft], None]) -> st.SearchStrategy[Array]:
    """One array of a recipe whose shape is given; `fill` draws what the array depends on."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Array:
        draft = Draft(HypothesisChoices(draw), space, classes=classes, positions=positions)
        if any(option.name == AXIS.name for option in draft.operation.options):
            draft.options[AXIS.name] = min(len(positions), 1)
        fill(draft)
        draw_seed(draft)
        draw_layouts(draft)
        return expand(draft.recipe()).arrays[name].fresh().view()

    return drawn()


def _known_operation(operation: Any) -> Operation:
    try:
        return get_operation(operation)
    except (UnknownName, TypeError):
        raise _invalid("operation", operation, f"one of {', '.join(operation_names())}") from None


def _drawn_options(operation: Operation, options: Any) -> dict[str, tuple[Any, ...] | None]:
    known = {option.name: option for option in operation.options}
    if options is None:
        return {name: None for name, option in known.items() if not option.opt_in}
    if isinstance(options, str):
        raise _invalid("options", options, "a sequence of names or a mapping of names to values")
    _require_all("options", tuple(options), tuple(known))
    values = dict(options) if isinstance(options, Mapping) else dict.fromkeys(options)
    always = {name: None for name, option in known.items() if option.always}
    return always | {name: None if some is None else tuple(some) for name, some in values.items()}


def _loss_shape(name: str, shape: Any) -> tuple[int, tuple[int, ...]]:
    """The class count and the shape without it."""
    wanted = "(C,), (N, C) or (N, C, d1, ...) with at most four axes, each a positive int"
    try:
        lengths = tuple(shape)
    except TypeError:
        raise _invalid(name, shape, wanted) from None
    whole = all(isinstance(length, int) and not isinstance(length, bool) and length > 0 for length in lengths)
    if not whole or len(lengths) not in RANKS:
        raise _invalid(name, shape, wanted)
    axis = min(len(lengths) - 1, 1)
    return lengths[axis], lengths[:axis] + lengths[axis + 1 :]


def _require_all(name: str, given: Any, known: Sequence[Any]) -> None:
    wanted = f"some of {', '.join(map(str, known))}"
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise _invalid(name, given, f"a sequence with {wanted}")
    for value in given:
        if value not in known:
            raise _invalid(name, value, wanted)


def _require_count(name: str, given: Any) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise _invalid(name, given, "a positive int")


def _require_flag(name: str, given: Any) -> None:
    if not isinstance(given, bool):
        raise _invalid(name, given, "True or False")


def _invalid(name: str, given: Any, wanted: str) -> InvalidArgument:
    return InvalidArgument(f"{name}={given!r} (type={type(given).__name__}) given; wanted {wanted}")
