"""The forms that a callable may have (a function, a torch.autograd.Function, an nn.Module), each called in its own way.

A form takes the leading arrays by position and the rest by the functions' own spelling.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from xentfuzz.errors import UsageError
from xentfuzz.worker.parameters import Parameters, parameters_of


class Form(Protocol):
    @property
    def kind(self) -> str:
        """function, autograd_function or module."""

    @property
    def parameters(self) -> Parameters:
        """What may be passed beyond the leading arrays."""

    def __call__(self, leading: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Call it once."""


@dataclass(frozen=True)
class FunctionForm:
    function: Callable[..., Any]
    parameters: Parameters
    kind: str = "function"

    def __call__(self, leading: Sequence[Any], named: Mapping[str, Any]) -> Any:
        more, keywords = self.parameters.arrange(named)
        return self.function(*leading, *more, **keywords)


@dataclass(frozen=True)
class AutogradForm:
    """A torch.autograd.Function: `apply` takes positional arguments only, in the order of forward's parameters."""

    function: Any
    parameters: Parameters
    defaults: Mapping[str, Any]
    kind: str = "autograd_function"

    def __call__(self, leading: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if self.parameters.named is None:
            return self.function.apply(*leading, *named.values())
        order = [parameter.name for parameter in self.parameters.named]
        # Only up to the last one given: what follows keeps its default.
        last = max((index for index, name in enumerate(order) if name in named), default=-1)
        return self.function.apply(*leading, *(named[name] if name in named else self.defaults[name] for name in order[: last + 1]))


@dataclass(frozen=True)
class ModuleForm:
    """An nn.Module class: what its constructor takes goes there, the rest to the call."""

    module: Any
    constructor: Parameters
    call: Parameters
    kind: str = "module"

    @property
    def parameters(self) -> Parameters:
        if self.constructor.named is None or self.call.named is None:
            return Parameters(None)
        return Parameters((*self.constructor.named, *self.call.named), self.constructor.open or self.call.open)

    def __call__(self, leading: Sequence[Any], named: Mapping[str, Any]) -> Any:
        by_name = {parameter.name for parameter in self.call.named or ()}
        built = {name: value for name, value in named.items() if name not in by_name}
        return self.module(**built)(*leading, **{name: value for name, value in named.items() if name in by_name})


def form_of(function: Any, leading: int) -> Form:
    """The form of what a reference named; `leading` arrays are passed by position. Raises UsageError for what can't be called."""
    if isinstance(function, type):
        torch = sys.modules.get("torch")  # a class of torch's can't exist unless torch is imported
        if torch is not None and issubclass(function, torch.autograd.Function):
            return _autograd_form(function, leading)
        if torch is not None and issubclass(function, torch.nn.Module):
            return _module_form(function, leading)
        raise UsageError(f"{function.__name__} is a class; wanted a function, a torch.autograd.Function or a torch.nn.Module")
    if not callable(function):
        raise UsageError(f"a {type(function).__name__} can't be called; wanted a function, a torch.autograd.Function or a torch.nn.Module")
    return FunctionForm(function, _beyond(parameters_of(function), leading, getattr(function, "__name__", "the target")))


def _beyond(parameters: Parameters, leading: int, name: str) -> Parameters:
    """What is left when `leading` arrays are passed by position. Raises UsageError where so many can't be."""
    by_position = [parameter.name for parameter in parameters.named or () if parameter.positional]
    if parameters.named is not None and not parameters.starred and len(by_position) < leading:
        raise UsageError(
            _too_few(name, by_position, [parameter.name for parameter in parameters.named if not parameter.positional], leading)
        )
    return parameters.after(leading)


def _too_few(name: str, by_position: Sequence[str], keyword_only: Sequence[str], leading: int) -> str:
    taken = f"{len(by_position)} positional argument{'' if len(by_position) == 1 else 's'} ({', '.join(by_position) or 'none'})"
    hint = f"; {', '.join(keyword_only)} can be passed by keyword only: arrays must be positional" if keyword_only else ""
    return f"{name} takes {taken}; wanted {leading} arrays at least{hint}"


def _module_form(module: Any, leading: int) -> ModuleForm:
    # Without a constructor of its own it takes nothing, whatever the one that it inherits would let through until it is called.
    inherited = module.__init__ is sys.modules["torch"].nn.Module.__init__
    constructor = Parameters(()) if inherited else parameters_of(module)
    return ModuleForm(module, constructor, _beyond(parameters_of(module.forward, skip=1), leading, module.__name__))


def _autograd_form(function: Any, leading: int) -> AutogradForm:
    base = sys.modules["torch"].autograd.Function
    # With a setup_context of its own, forward takes no ctx.
    skip = 0 if function.setup_context is not base.setup_context else 1
    import inspect  # noqa: PLC0415

    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(function.forward).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return AutogradForm(function, parameters_of(function.forward, skip=skip).after(leading), defaults)
