"""What an implementation declares about itself. Standard library only: kernels import it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xentfuzz.errors import UsageError

DEFAULT_GRADE = "lse/any"
ARRAY_LIBRARIES = ("numpy", "torch", "jax", "cuda")
FUNCTIONS = ("forward", "backward", "value_and_grad")
TARGET_KINDS = ("index", "probabilities")
# Of the logits.
RANKS = (1, 2, 3, 4)
DEFAULT_OPERATION = "cross_entropy"  # where no other one is named
# Values that another process, a record or a script can be given as they are, and that compare to one truth value.
PLAIN_TYPES = (bool, int, float, str, type(None))
SUPPORT_KEYS = (
    "targets",  # of "index", "probabilities"
    "target_dtypes",  # names of the class indices' dtypes; int64 where nothing is said
    "ranks",  # of 1, 2, 3, 4: the rank of the logits
    "layouts",  # names from xentfuzz.recipes.layouts
    "options",  # option name -> tuple of the values that may be passed, or None for all
    "weight",  # False where its parameter for class weights refuses them
    "gradients",  # names of the arguments of which there is a gradient, () where there is none
    "largest_class_count",
    "largest_row_count",
    "class_count_divisor",
    "largest_logit",  # in absolute value, of finite ones: an exponential with a scale folded in overflows beyond
)


@dataclass(frozen=True)
class Implementation:
    """One implementation of one operation, as declared by its author.

    forward, backward, value_and_grad: the functions, or dotted names "package.module:attribute" that are imported where they run.
    operation: "softmax", "log_softmax", "nll_loss" or "cross_entropy".
    array: the array library whose arrays they take: "numpy" (host arrays), "torch", "jax" or "cuda".
    device: where the arrays are put, as that library names it ("cpu", "cuda:0").
    dtypes: names of the floating-point formats it takes; None lets a probe find them.
    supports: what may be generated for it (see SUPPORT_KEYS); None lets a probe find it.
        An option of which no value is named is never passed; {"options": {"ignore_index": ()}} means besides that no row is ever ignored.
        Without it rows with the target -100 are drawn even where there is no parameter ignore_index, as -100 is in force then.
    grade: the accuracy it promises, e.g. "lse/any" (see `xentfuzz.operations.grades`), or a mapping from dtype name to that; a dtype that
        the mapping leaves out has the default grade.
    loss_dtype: the dtype of the loss where it is not that of the logits, or a mapping from the logits' dtype to that.
    mutates: arguments that it overwrites by design; aliases: its results may share memory with its arguments or with earlier results.
    deterministic: the same call gives the same bits; where it is False, every result is held to its bound instead.
    thread_safe: calls from several threads at once give what they give alone; where it is False, that is not tried.
    renames: its own parameter name -> ours; fixed: arguments that are always passed.
    environment: variables set before its worker imports anything; python: another interpreter for its worker.
    simulator: it runs in a simulator of its device, slowly: only small cases are drawn for it.
    named_only: what takes every implementation, such as `xentfuzz run` without targets, leaves it out: it must be named.
    unavailable: a function that returns why it cannot run here, or None; for another interpreter a dotted name will do.
    probed: what `supports` leaves out is found by a probe, as where nothing is declared.
    tried: array libraries besides `array` whose arrays it refused, with the reason, where its own was looked for and none was found;
        tried_calls: how many tiny calls looking for it took.
    Raises UsageError for a declaration that contradicts itself.
    """

    name: str
    forward: Callable[..., Any] | str
    backward: Callable[..., Any] | str | None = field(default=None, kw_only=True)
    value_and_grad: Callable[..., Any] | str | None = field(default=None, kw_only=True)
    operation: str = field(default=DEFAULT_OPERATION, kw_only=True)
    array: str = field(default="numpy", kw_only=True)
    device: str = field(default="cpu", kw_only=True)
    dtypes: Sequence[str] | None = field(default=None, kw_only=True)
    supports: Mapping[str, Any] | None = field(default=None, kw_only=True)
    grade: str | Mapping[str, str] = field(default=DEFAULT_GRADE, kw_only=True)
    loss_dtype: str | Mapping[str, str] | None = field(default=None, kw_only=True)
    mutates: Sequence[str] = field(default=(), kw_only=True)
    aliases: bool = field(default=False, kw_only=True)
    deterministic: bool = field(default=True, kw_only=True)
    thread_safe: bool = field(default=True, kw_only=True)
    renames: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    fixed: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    environment: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    python: str | None = field(default=None, kw_only=True)
    simulator: bool = field(default=False, kw_only=True)
    named_only: bool = field(default=False, kw_only=True)
    unavailable: Callable[[], str | None] | str | None = field(default=None, kw_only=True)
    probed: bool = field(default=False, kw_only=True)
    tried: Sequence[str] = field(default=(), kw_only=True)
    tried_calls: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if self.array not in ARRAY_LIBRARIES:
            raise UsageError(f"{self.name}: array={self.array!r} is none of {', '.join(ARRAY_LIBRARIES)}")
        unknown = set(self.supports or ()) - set(SUPPORT_KEYS)
        if unknown:
            raise UsageError(
                f"{self.name}: supports names {', '.join(sorted(unknown))}; known keys: {', '.join(SUPPORT_KEYS)}; "
                f'the values of an option go in options={{"reduction": ("mean", "sum")}}'
            )
        largest = (self.supports or {}).get("largest_logit", 1.0)
        if isinstance(largest, bool) or not isinstance(largest, (int, float)) or not largest > 0:
            raise UsageError(f"{self.name}: supports largest_logit={largest!r}; wanted a number above 0")
        for option, values in (self.supports or {}).get("options", {}).items():
            if values is not None and (isinstance(values, str) or not isinstance(values, Collection)):
                wanted = f'a tuple of values, such as {{"{option}": ({values!r},)}}, or None for all'
                raise UsageError(f"{self.name}: supports options give {option} as {values!r}; wanted {wanted}")

    def loss_dtype_for(self, dtype: str) -> str | None:
        """The declared dtype of the loss for logits in the floating-point format `dtype`, None where none is declared."""
        return self.loss_dtype if self.loss_dtype is None or isinstance(self.loss_dtype, str) else self.loss_dtype.get(dtype)

    def grade_for(self, dtype: str) -> str:
        """The grade promised for arrays of the floating-point format `dtype`."""
        return self.grade if isinstance(self.grade, str) else self.grade.get(dtype, DEFAULT_GRADE)
