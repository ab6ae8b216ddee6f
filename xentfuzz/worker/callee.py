"""An implementation, loaded: takes host arrays, calls it in its own library and spelling, and gives host arrays or the reason why not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import UsageError
from xentfuzz.subjects.outcome import Crash, NoResult, Raised
from xentfuzz.worker.control_word import OwnWord
from xentfuzz.worker.forms import Form, form_of
from xentfuzz.worker.libraries import library_named
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Number, Unsupported, Unusable
from xentfuzz.worker.plan import Plan
from xentfuzz.worker.protocols import PREFIX, run_protocol
from xentfuzz.worker.reference import load_reference
from xentfuzz.worker.surroundings import Fingerprint
from xentfuzz.worker.texts import message_of, raised_from


@dataclass(frozen=True, eq=False)
class Answer:
    """What one call gave: exactly one of results, unsupported, raised, crash, unusable.

    flushes: whether subnormal numbers become 0 in its thread.
    """

    results: Mapping[str, Collected | Number | str] | None = None
    unsupported: str | None = None
    raised: Raised | None = None
    crash: Crash | None = None
    seconds: float = 0.0
    flushes: bool = False
    unusable: NoResult | None = None


class Callee:
    """forms: function name -> its form. baseline: the surroundings when it had been loaded, None where they are shared with others.

    Raises UsageError where a function can't be loaded or there is no such device, ImportError where its array library can't.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.forms: dict[str, Form] = {}
        self.control_word = OwnWord()
        with self.control_word:
            _require_available(plan)
            for name, function in plan.functions.items():
                leading = len(plan.positional) + (name == "backward")
                self.forms[name] = form_of(load_reference(function) if isinstance(function, str) else function, leading)
            self.library: ArrayLibrary = library_named(plan.array, plan.device)
            self.library.require_device()
        self.seconds = 0.0
        self.baseline: Fingerprint | None = None

    def call(self, function: str, arrays: Mapping[str, StridedArray], options: Mapping[str, Any]) -> Answer:
        """One call; `arrays` are handed over as they are. KeyboardInterrupt alone gets through: only the caller knows whose it is."""
        with self.control_word:
            answer = self._answer(function, arrays, options)
        return replace(answer, flushes=self.control_word.flushes)

    def _answer(self, function: str, arrays: Mapping[str, StridedArray], options: Mapping[str, Any]) -> Answer:
        self.seconds = 0.0
        self.library.note_arguments(arrays)
        try:
            results = self._call(function, arrays, options)
        except KeyboardInterrupt:
            raise
        except (Unsupported, NotImplementedError) as reason:
            return Answer(unsupported=message_of(reason) or type(reason).__name__, seconds=self.seconds)
        except Unusable as error:
            return Answer(unusable=NoResult(error.kind, message_of(error)), seconds=self.seconds)
        except SystemExit as error:
            return Answer(crash=Crash("exit", f"it raised SystemExit: {message_of(error)}"), seconds=self.seconds)
        except BaseException as error:  # noqa: BLE001 - whatever an implementation raises is a result
            return _failed(error, self.seconds)
        return Answer(results, seconds=self.seconds)

    def _call(
        self, function: str, arrays: Mapping[str, StridedArray], options: Mapping[str, Any]
    ) -> Mapping[str, Collected | Number | str]:
        if function.startswith(PREFIX):
            return run_protocol(self, function, arrays, options)
        loaded = self.load(arrays)
        try:
            outputs = self._timed(self.outputs, function, loaded, arrays, options)
            return {name: self.library.collect(output) for name, output in outputs.items()}
        finally:
            self.library.write_back()

    def load(self, arrays: Mapping[str, StridedArray]) -> dict[str, Any]:
        """The arrays in the implementation's own library. Raises Unsupported where it can't hold one of them."""
        return {name: self._load(name, array) for name, array in arrays.items()}

    def _load(self, name: str, array: StridedArray) -> Any:
        try:
            return self.library.load(array)
        except (Unsupported, TypeError, ValueError, BufferError) as error:
            raise Unsupported(f"{name}: {message_of(error)}") from None

    def _timed(self, call: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            outputs = call(*arguments)
            self.library.finish(list(outputs.values()))
        finally:
            self.seconds = time.perf_counter() - began
        return outputs

    def outputs(
        self, function: str, loaded: Mapping[str, Any], arrays: Mapping[str, StridedArray], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Output name -> what one call gave, in its own library; whatever it raises gets through. arrays: those that were loaded."""
        gradient = f"grad_{self.plan.positional[0]}"
        if function == "forward":
            return {"value": self.invoke(function, loaded, options)}
        if function == "value_and_grad":
            value, slope = _pair(self.invoke(self._declared(function), loaded, options))
            return {"value": value, gradient: slope}
        if function in self.forms:
            return {gradient: self.invoke(function, loaded, options)}
        wanted = differentiable(self.plan, arrays)
        upstream = loaded["grad_output"]
        found = self.library.gradients(lambda values: self.invoke("forward", values, options), loaded, wanted, upstream)
        return {f"grad_{name}": slope for name, slope in found.items()}

    def _declared(self, function: str) -> str:
        if function not in self.forms:
            raise Unsupported(f"no {function}")
        return function

    def invoke(self, function: str, loaded: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """What a declared function returns."""
        return self.forms[function](*self.arguments(function, loaded, options))

    def arguments(self, function: str, loaded: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """What a declared function is called with: the leading arrays, and the rest by its own spelling."""
        before = ("grad_output",) if function == "backward" else ()
        leading = [loaded[name] for name in (*before, *self.plan.positional)]
        return leading, self._named(self.forms[function], loaded, options)

    def _named(self, form: Form, loaded: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that are passed by their own spelling. Raises Unsupported where the form has no parameter for one that matters."""
        named = {}
        for name in self.plan.optional:
            matters = name in loaded
            if self._passed(form, name, matters):
                named[self._own(name)] = loaded.get(name)
        for name, value in options.items():
            matters = value != self._default(form, name)
            # A default of the signature's own, ignore_index=0, is not what the contract means where nothing is said.
            always = name in self.plan.always or form.parameters.must_pass(self._own(name), value)
            if self._passed(form, name, matters, always=always):
                named[self._own(name)] = value
        return {**named, **{own: value for own, value in self.plan.fixed.items() if form.parameters.takes(own)}}

    def _passed(self, form: Form, name: str, matters: bool, *, always: bool = False) -> bool:
        own = self._own(name)
        if form.parameters.takes(own):
            return matters or always or form.parameters.requires(own)
        if matters:
            raise Unsupported(f"no parameter for {name}")
        return False

    def _default(self, form: Form, name: str) -> Any:
        """What leaving an option out means."""
        default = self.plan.defaults.get(name)
        return default if form.parameters.takes(self._own(name)) else self.plan.in_force.get(name, default)

    def _own(self, name: str) -> str:
        return self.plan.spelling.get(name, name)


def differentiable(plan: Plan, arrays: Mapping[str, StridedArray]) -> list[str]:
    """The arguments whose gradients autodiff is asked for: with class indices the first one only, as targets and weights have none then."""
    first = plan.positional[0]
    target = arrays.get("target")
    if target is None or target.shape != arrays[first].shape or target.dtype not in FLOAT_NAMES:
        return [first]
    return [name for name in plan.differentiable if name in arrays]


def _require_available(plan: Plan) -> None:
    reason = load_reference(plan.unavailable)() if plan.unavailable else None
    if reason is not None:
        raise UsageError(f"can't run in {sys.executable}: {reason}")


def _pair(result: Any) -> Sequence[Any]:
    if not isinstance(result, tuple | list) or len(result) != 2:
        number = f" of {len(result)}" if isinstance(result, tuple | list) else ""
        raise Unusable(f"it returned a {type(result).__module__}.{type(result).__qualname__}{number}; wanted (loss, gradient)")
    return result


def _failed(error: BaseException, seconds: float) -> Answer:
    message = message_of(error)
    # torch reports exhausted host memory as a RuntimeError of its allocator, exhausted device memory as OutOfMemoryError.
    exhausted = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "DefaultCPUAllocator" in message
    if exhausted:
        return Answer(crash=Crash("out_of_memory", f"{type(error).__name__}: {message}"), seconds=seconds)
    return Answer(raised=raised_from(error), seconds=seconds)
