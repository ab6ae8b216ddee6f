"""Finds out by a few tiny calls what an implementation takes that doesn't say so.

Only whole features are looked for: a dtype, a rank, an option. What is refused altogether, at several shapes and values and by an exception
that can be meant so, is left out and said in one line. Anything else is no missing feature and stays for the checks to find, and so does
the call that the operation exists for: a matrix of logits, with class indices where there are targets, and default options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from xentfuzz.dtypes import FLOAT_NAMES, FORMATS, dtype_name
from xentfuzz.operations import get_operation
from xentfuzz.operations.operation import Operation, Option
from xentfuzz.operations.options import REDUCTION
from xentfuzz.subjects.as_declared import with_declaration
from xentfuzz.subjects.assumed_renames import Renameable, assume_renames
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.declared import declared_capabilities
from xentfuzz.subjects.deliberate import is_deliberate
from xentfuzz.subjects.harness_errors import ErrorLog
from xentfuzz.subjects.outcome import NOT_TRIED, Outcome
from xentfuzz.subjects.probe_calls import COSTLY_SECONDS, ProbeCalls, refused_words
from xentfuzz.subjects.probe_first_calls import LARGE_CLASS_COUNT, first_calls
from xentfuzz.subjects.probe_layouts import LayoutProbe, refusal_lines, refused_at, taken_nowhere
from xentfuzz.subjects.sample import Sample
from xentfuzz.subjects.signature import other_spellings, own_default, own_defaults, require_explained

# So many classes no kernel is too small for.
FEWEST_CLASSES = 2
CLASS_COUNTS_IF_COSTLY = (1, 2, 5, 33, 128, 1000)
NARROW_TARGETS = ("int32", "int16", "int8", "uint8")
# Of the logits that every operation here is for.
MATRIX = 2


class Loaded(Renameable, Protocol):
    """A subject that has been loaded, but whose capabilities are not known yet."""

    def describe(self) -> dict[str, Any]:
        """The form and the parameters of each function, by name."""

    def differentiate(self, arguments: tuple[str, ...]) -> None:
        """Ask autodiff for the gradients of these arguments only."""

    def assume_options(self, options: dict[str, tuple[Any, ...]]) -> None:
        """Take these values of options as declared, and the rest as not."""


def capabilities_of(subject: Loaded) -> Capabilities:
    """What is declared, completed by a probe. Raises UsageError for a parameter that nothing explains."""
    description, errors = subject.describe(), ErrorLog()
    renamed: tuple[str, ...] = ()
    with errors.kept("probing: parameters under other names"):
        renamed = assume_renames(subject, description)
    implementation = subject.implementation
    operation = get_operation(implementation.operation)
    require_explained(description, implementation, operation)
    declared = declared_capabilities(implementation, description)
    declared = replace(declared, notes=(*renamed, *own_defaults(description, implementation, operation)))
    if "gradients" in (implementation.supports or {}):
        subject.differentiate(tuple(name.removeprefix("grad_") for name in declared.gradients))
    if implementation.dtypes is not None and implementation.supports is not None and not implementation.probed:
        return declared
    hints = other_spellings(description, implementation, operation)
    found = probe(subject, replace(declared, rejections=(*declared.rejections, *hints)))
    found = replace(found, harness_errors=(*errors.errors, *found.harness_errors))
    return with_declaration(subject.implementation, replace(found, refused=_refused(declared, found)))


def _refused(declared: Capabilities, found: Capabilities) -> tuple[str, ...]:
    """The options and arguments that forward has a parameter for and that the probe saw refused."""
    options = tuple(name for name in declared.options if name not in found.options)
    return (*options, *(("weight",) if declared.weight and not found.weight else ()))


def probe(subject: Loaded, declared: Capabilities) -> Capabilities:
    """`declared` without what the subject rejects, marked as assumed. At most MOST_CALLS calls, those for its array library included."""
    return Probe(subject, get_operation(declared.operation), declared).run()


@dataclass
class Probe:
    """found: what is known so far. base: a call that works, from which the others differ in one respect; upstream: its value's form."""

    subject: Loaded
    operation: Operation
    found: Capabilities
    base: Sample = field(init=False)
    upstream: tuple[tuple[int, ...], str] = ((), "float32")
    rejections: list[str] = field(default_factory=list)
    base_refusals: list[tuple[Sample, Outcome]] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)
    errors: ErrorLog = field(default_factory=ErrorLog)

    def __post_init__(self) -> None:
        self.calls = ProbeCalls(self.subject, self.found)
        self.rejections += self.found.rejections

    def run(self) -> Capabilities:
        """What was found. What the harness itself fails at is left as declared, and the error is kept."""
        works = False
        with self.errors.kept("probing: a call that works"):
            works = self._find_base()
        if self.errors.errors:
            return replace(self.found, assumed=True, harness_errors=tuple(self.errors.errors))
        if not works:
            return self._of_nothing_that_works()
        for find in self._steps():
            with self.errors.kept(f"probing: {find.__name__.removeprefix('_find_').replace('_', ' ')}"):
                find()
        refused: list[str] = []
        with self.errors.kept("probing: first calls"):
            refused = self._unexplained_refusals()
        return replace(
            self.found,
            assumed=True,
            rejections=tuple(dict.fromkeys([*refused, *self.rejections])),
            not_tried=tuple(dict.fromkeys(self.not_tried)),
            changed_inputs=tuple(sorted(self.calls.changed)),
            doubtful=tuple(dict.fromkeys(self.calls.doubtful)),
            harness_errors=tuple(self.errors.errors),
        )

    def _steps(self) -> Iterator[Callable[[], None]]:
        implementation = self.subject.implementation
        open_to_all = implementation.supports is None or implementation.probed
        if implementation.dtypes is None:
            yield self._find_dtypes
        elif implementation.loss_dtype is None:
            yield self._find_loss_dtypes
        if open_to_all:
            yield from (self._find_inputs, self._find_options)
        yield from (self._find_gradients, self._find_cost)
        if open_to_all and "layouts" not in self._declared:
            yield self._find_layouts

    @property
    def _declared(self) -> Mapping[str, Any]:
        """What is said by its user, and stands: refusing it is a finding."""
        return self.subject.implementation.supports or {}

    def _of_nothing_that_works(self) -> Capabilities:
        """Nothing is claimed of what refuses every call on purpose; what fails otherwise is held to the commonest one."""
        unexplained = [one for one in self.base_refusals if not is_deliberate(one[1], self.found.array)] or self._inconsistent()
        dtypes = (unexplained[0][0].dtype,) if unexplained else ()
        rejections = () if unexplained else tuple(self.rejections)
        return replace(
            self.found,
            dtypes=dtypes,
            ranks=(MATRIX,) if MATRIX in self.found.ranks else self.found.ranks[:1],
            targets=self.found.targets[:1],
            assumed=True,
            rejections=rejections,
            doubtful=tuple(refused_words(*one) for one in unexplained),
            harness_errors=tuple(self.errors.errors),
        )

    def _inconsistent(self) -> list[tuple[Sample, Outcome]]:
        """Of calls that were refused, each on purpose: the commonest one, where others of its kind are not refused so."""
        return [one for one in self.base_refusals[:1] if not self.calls.is_missing(*one)]

    def _find_base(self) -> bool:
        warm = self._warm_up()
        for sample in first_calls(self.operation, self.found):
            outcome = self.calls.call(sample)
            if outcome.crash is not None and warm is not None:
                # What the commonest call does is for the checks to find; the rest is found out by one that comes back.
                return self._take_base(*warm)
            if outcome.accepted:
                return self._take_base(sample, outcome)
            self.base_refusals.append((sample, outcome))
        if warm is not None:
            # It was taken once: what is refused since is no missing feature.
            return self._take_base(*warm)
        tried, first = self.subject.implementation.tried, refused_words(*self.base_refusals[0])
        own = f"{self.found.array} arrays, {first}" if tried else first
        self.rejections += [f"rejects {reason}" for reason in (own, *tried)]
        return False

    def _take_base(self, sample: Sample, outcome: Outcome) -> bool:
        """Go on from a call that works."""
        self.base = self.calls.base = self._without_reduction(sample, outcome)
        self.calls.compile_seconds = max(outcome.seconds if outcome.compiled else 0.0, self.calls.compile_seconds)
        self.found = replace(self.found, compile_seconds=self.calls.compile_seconds)
        self._note_loss(sample.dtype, outcome)
        self.upstream = _upstream(sample, outcome)
        return True

    def _warm_up(self) -> tuple[Sample, Outcome] | None:
        """The commonest call with the fewest classes, if it comes back. It may take a compiler's time; later ones need not be given it."""
        first = next(first_calls(self.operation, self.found))
        if self.found.class_count_divisor > 1 or first.classes <= FEWEST_CLASSES:
            return None
        smallest = replace(first, classes=FEWEST_CLASSES)
        outcome = self.calls.call(smallest)
        self.calls.compile_seconds = outcome.seconds if outcome.compiled else 0.0
        return (smallest, outcome) if outcome.results is not None else None

    def _unexplained_refusals(self) -> list[str]:
        """Refusals of first calls that no refusal of a feature tells as well; what is no refusal is doubtful."""
        told = tuple(self.rejections)
        own = [one for one in self.base_refusals if not any(line.endswith(one[1].refusal) for line in told)]
        return [f"rejects {refused_words(*one)}" for one in own if self.calls.is_missing(*one)]

    def _without_reduction(self, sample: Sample, outcome: Outcome) -> Sample:
        """The call as one of reduction none, where it is that by itself and there is one loss for each row whatever is asked for."""
        value = (outcome.results or {}).get("value")
        reason = self._why_never_reduced()
        if reason is None or sample.rank != MATRIX or not isinstance(value, np.ndarray) or value.shape != (sample.rows,):
            return sample
        self.subject.assume_options({REDUCTION.name: ("none",)})
        note = f"assumed to be a loss of reduction none: it {reason} and returns one number for each row"
        self.found = replace(self.found, options={**self.found.options, REDUCTION.name: ("none",)}, notes=(*self.found.notes, note))
        return replace(sample, options={**sample.options, REDUCTION.name: "none"})

    def _why_never_reduced(self) -> str | None:
        """Why one loss for each row is no mistake in a call for a mean, or None where it is one."""
        implementation = self.subject.implementation
        if implementation.supports is not None or REDUCTION.name not in self.operation.defaults:
            return None
        if REDUCTION.name not in self.found.options:
            return "has no parameter for it"
        own = own_default(self.subject.describe(), implementation, REDUCTION.name)
        return "has that as its default, heeds no other one" if own == ("none",) else None

    def _find_dtypes(self) -> None:
        accepted = [dtype for dtype in FLOAT_NAMES if self._takes_dtype(dtype)]
        self.found = replace(self.found, dtypes=tuple(accepted))

    def _takes_dtype(self, dtype: str) -> bool:
        if dtype == self.base.dtype:
            return True
        outcome = self._attempt(f"{dtype} {self._first}", replace(self.base, dtype=dtype))
        if outcome is not None:
            self._note_loss(dtype, outcome)
        return outcome is not None

    def _find_loss_dtypes(self) -> None:
        """What the losses of the given 16-bit dtypes are in; refusing one of these dtypes is a finding, and no concern of this."""
        for dtype in self.found.dtypes:
            if FORMATS[dtype].bits == 16 and dtype != self.base.dtype:
                self._note_loss(dtype, self.calls.call(replace(self.base, dtype=dtype)))

    def _note_loss(self, dtype: str, outcome: Outcome) -> None:
        """A loss in float32 for 16-bit logits is common and held to float32's bound; any other change of dtype is a finding."""
        value = (outcome.results or {}).get("value")
        if isinstance(value, np.ndarray) and FORMATS[dtype].bits == 16 and dtype_name(value.dtype) == "float32":
            self.found = replace(self.found, loss_dtypes={**self.found.loss_dtypes, dtype: "float32"})

    def _find_inputs(self) -> None:
        if self.base.classes == LARGE_CLASS_COUNT and self.found.class_count_divisor == 1:
            self._find_divisor()
        if "ranks" not in self._declared:
            self._find_ranks()
        if self.found.targets:
            self._find_targets()
        if self.found.weight and "weight" not in self._declared:
            self.found = replace(self.found, weight=self._takes("weight", replace(self.base, weight=True)))

    def _find_ranks(self) -> None:
        words = {1: "1-d", 2: "2-d", 3: "3-d", 4: "4-d"}
        ranks = [rank for rank in self.found.ranks if self._takes_rank(rank, f"{words[rank]} {self._first}")]
        if MATRIX in self.found.ranks and MATRIX not in ranks:
            ranks = sorted([*ranks, MATRIX])
            self._hold_to(f"{words[MATRIX]} {self._first}", {"ranks": tuple(rank for rank in ranks if rank != MATRIX)})
        self.found = replace(self.found, ranks=tuple(ranks))

    def _takes_rank(self, rank: int, feature: str) -> bool:
        """Of any dtype: what takes a rank of some, and refuses it of others, has no rank that is missing."""
        if self._takes(feature, replace(self.base, rank=rank)):
            return True
        others = [dtype for dtype in self.found.dtypes if dtype != self.base.dtype]
        if not any(self.calls.is_taken(replace(self.base, rank=rank, dtype=dtype)) for dtype in others):
            return False
        self.calls.doubtful.append(f"{self.base.dtype} {self.rejections.pop().removeprefix('rejects ')}")
        return True

    def _find_targets(self) -> None:
        before = len(self.rejections)
        dtypes = [name for name in ("int64", *NARROW_TARGETS) if self._takes(f"{name} targets", self._with_indices(name))]
        if not dtypes and "index" in self.found.targets:
            self.rejections[before:] = [self.rejections[before].replace("int64", "index", 1)]
            self._hold_to("index targets", {"targets": tuple(kind for kind in self.found.targets if kind != "index")})
            dtypes = ["int64"]
        others = [
            kind for kind in self.found.targets if kind != "index" and self._takes(f"{kind} targets", replace(self.base, targets=kind))
        ]
        self.found = replace(self.found, targets=(*(["index"] if dtypes else []), *others), target_dtypes=tuple(dtypes))

    def _with_indices(self, dtype: str) -> Sample:
        return replace(self.base, targets="index", target_dtype=dtype)

    def _find_divisor(self) -> None:
        """The smallest power of two that will do, where five classes are refused and 128 are not."""
        divisor = LARGE_CLASS_COUNT
        while divisor > 1 and self._takes_classes(divisor // 2):
            divisor //= 2
        self.found = replace(self.found, class_count_divisor=divisor)
        self.base = replace(self.base, classes=divisor)

    def _takes_classes(self, count: int) -> bool:
        outcome = self.calls.call(replace(self.base, classes=count))
        return outcome.accepted and outcome is not NOT_TRIED

    def _find_options(self) -> None:
        rejected = [
            option.name for option in self.operation.options if option.name in self.found.options and not self._takes_option(option)
        ]
        self.found = replace(self.found, options={name: values for name, values in self.found.options.items() if name not in rejected})

    def _takes_option(self, option: Option) -> bool:
        """Whether any value but the default is taken; two are tried."""
        refused: list[tuple[Sample, Outcome]] = []
        if self.found.options[option.name] is not None:
            return True
        if option.name in self.base.options:
            self._find_values(option)
            return True
        for value in _other_values(option, self.base)[:2]:
            sample = replace(self.base, options={**self.base.options, option.name: value})
            outcome = self.calls.call(sample)
            if outcome is NOT_TRIED:
                self.not_tried.append(option.name)
            if outcome.accepted:
                return True
            refused.append((sample, outcome))
        if not refused or not all(self.calls.is_missing(*one) for one in refused[:1]) or not _all_deliberate(refused, self.found.array):
            return True
        self.rejections.append(f"rejects {option.name}: {refused[0][1].refusal}")
        return False

    def _find_values(self, option: Option) -> None:
        """Each value by itself of an option whose default is refused."""
        taken = self.base.options[option.name]
        samples = [replace(self.base, options={**self.base.options, option.name: value}) for value in _other_values(option, self.base)]
        values = [sample.options[option.name] for sample in samples if sample == self.base or self.calls.call(sample).accepted]
        known = {**self.found.options, option.name: tuple(dict.fromkeys((taken, *values)))}
        self.found = replace(self.found, options=known)

    def _find_gradients(self) -> None:
        """What was declared stays: refusing it is a finding. What only follows from the array library goes where it is refused."""
        implementation = self.subject.implementation
        if "gradients" in self._declared:
            return
        functions, gradients = ["forward"], set[str]()
        for name in ("backward", "value_and_grad"):
            if name not in self.found.functions:
                continue
            outcome = self._attempt(f"{name}", replace(self.base, function=name, upstream=self.upstream if name == "backward" else None))
            if outcome is not None or getattr(implementation, name) is not None:
                functions.append(name)
                gradients |= {self.found.gradients[0]} if outcome is None else {*(outcome.results or self.found.gradients[:1])}
        if implementation.backward is None and "backward" in functions and "probabilities" in self.found.targets:
            gradients |= self._gradients_with_probabilities()
        known = tuple(name for name in self.found.gradients if name in gradients)
        self.found = replace(self.found, functions=tuple(functions), gradients=known)

    def _gradients_with_probabilities(self) -> set[str]:
        """By autodiff: of target and weight too, or of the first argument alone where these can't be had."""
        sample = replace(self.base, function="backward", targets="probabilities", weight=self.found.weight, upstream=self.upstream)
        outcome = self._attempt("gradients of probability targets", sample)
        if outcome is None:
            self.subject.differentiate((self._first,))
            return set()
        return {*(outcome.results or ())}

    def _find_cost(self) -> None:
        """Whether every class count is compiled for on its own: two calls of a kind that has been compiled take long all the same."""
        limit = self.found.largest_class_count or self.base.classes * 64
        counts = [count for count in (self.base.classes * 13, self.base.classes * 51) if count <= limit]
        seconds = [self.calls.call(replace(self.base, classes=count)).seconds for count in counts]
        if len(seconds) == 2 and min(seconds) > COSTLY_SECONDS:
            divisor = self.found.class_count_divisor
            costly = tuple(dict.fromkeys(max(1, count // divisor) * divisor for count in CLASS_COUNTS_IF_COSTLY))
            self.found = replace(self.found, class_counts=tuple(count for count in costly if count <= limit))

    def _find_layouts(self) -> None:
        layout_probe = LayoutProbe(self.subject, self.base, self.found, self.upstream, self.calls)
        refusals = layout_probe.refusals()
        self.not_tried += [f"{name} layout" for name in layout_probe.not_tried]
        ranks = self.found.ranks
        self.rejections += refusal_lines(refusals, ranks, self._first)
        nowhere = taken_nowhere(refusals, ranks)
        layouts = tuple(name for name in self.found.layouts if name not in nowhere)
        self.found = replace(self.found, layouts=layouts, refused_layouts=refused_at(refusals, ranks))

    @property
    def _first(self) -> str:
        return self.operation.arguments[0].name

    def _hold_to(self, feature: str, supports: dict[str, tuple[Any, ...]]) -> None:
        """What the operation is for is no feature to lack, unless that is declared."""
        number = next((index for index, line in enumerate(self.rejections) if line.startswith(f"rejects {feature}: ")), None)
        reason = "" if number is None else self.rejections.pop(number).removeprefix(f"rejects {feature}")
        by_design = f"where that is by design, declare supports={supports}"
        note = f"{feature} are what {self.operation.name} is for, and are refused{reason}; {by_design}"
        self.found = replace(self.found, notes=(*self.found.notes, note))

    def _takes(self, feature: str, sample: Sample) -> bool:
        return sample == self.base or self._attempt(feature, sample) is not None

    def _attempt(self, feature: str, sample: Sample) -> Outcome | None:
        """The outcome, or None, with a line about it, where the call is refused."""
        outcome = self.calls.call(sample)
        if outcome is NOT_TRIED:
            self.not_tried.append(feature)
        if outcome.accepted or not self.calls.is_missing(sample, outcome):
            return outcome
        self.rejections.append(f"rejects {feature}: {outcome.refusal}")
        return None


def _all_deliberate(refused: list[tuple[Sample, Outcome]], array: str) -> bool:
    return all(is_deliberate(outcome, array, [*map(repr, sample.options.values()), *sample.options]) for sample, outcome in refused)


def _other_values(option: Option, base: Sample) -> list[Any]:
    values = option.values(base.shape, base.targets) if callable(option.values) else option.values
    return [value for value in values if value != option.default]


def _upstream(sample: Sample, outcome: Outcome) -> tuple[tuple[int, ...], str]:
    value = (outcome.results or {}).get("value")
    if not isinstance(value, np.ndarray):
        return (), sample.dtype
    name = dtype_name(value.dtype)
    return value.shape, name if name in FORMATS else sample.dtype
