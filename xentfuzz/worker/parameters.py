"""The parameters of a function, as far as Python can tell, and which of ours they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xentfuzz.implementation import PLAIN_TYPES

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Parameter:
    """required: it has no default. positional: it may be passed by position; keyword: by keyword.

    default: (its default,) where that is plain data, else ().
    """

    name: str
    required: bool
    positional: bool
    keyword: bool
    default: tuple[Any, ...] = ()

    def stands_for(self, value: Any) -> bool:
        """Whether leaving it out means `value`, as far as one can tell."""
        return not self.required and (not self.default or self.default[0] == value)


@dataclass(frozen=True)
class Parameters:
    """named: None where the signature is not readable. open: there is a **kwargs. starred: there is an *args."""

    named: tuple[Parameter, ...] | None
    open: bool = False
    starred: bool = False

    def takes(self, name: str) -> bool:
        """Whether a value may be passed under `name`; yes wherever the signature doesn't say."""
        return self.named is None or self.open or any(parameter.name == name for parameter in self.named)

    def requires(self, name: str) -> bool:
        return any(parameter.name == name and parameter.required for parameter in self.named or ())

    def must_pass(self, name: str, value: Any) -> bool:
        """Whether leaving `name` out would not mean `value`: it has no default, or another one."""
        return any(parameter.name == name and not parameter.stands_for(value) for parameter in self.named or ())

    def after(self, count: int) -> Parameters:
        """Without the first `count` positional parameters: what is left when that many values are passed by position."""
        if self.named is None:
            return self
        leading = [parameter for parameter in self.named if parameter.positional][:count]
        return Parameters(tuple(parameter for parameter in self.named if parameter not in leading), self.open, self.starred)

    def arrange(self, named: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for `named`, whose parameters come after those that are passed by position already."""
        keywords, by_position = dict(named), []
        gap = False
        for parameter in self.named or ():
            if parameter.positional and not parameter.keyword:
                gap = gap or parameter.name not in keywords
                if parameter.name in keywords and gap:
                    raise TypeError(f"{parameter.name} can be passed by position only, and an earlier parameter is not given")
                if parameter.name in keywords:
                    by_position.append(keywords.pop(parameter.name))
        return tuple(by_position), keywords


def parameters_of(function: Callable[..., Any], *, skip: int = 0) -> Parameters:
    """The parameters of `function` without the first `skip` (self, ctx)."""
    # A custom operator of torch's takes anything; the function that it was made from says what.
    made_from = getattr(function, "_init_fn", function)
    try:
        found = list(inspect.signature(made_from).parameters.values())[skip:]
    except (TypeError, ValueError):
        return Parameters(None)
    starred = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in found)
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in found)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return Parameters(tuple(_parameter(parameter) for parameter in found if parameter.kind not in variable), is_open, starred)


def _parameter(found: inspect.Parameter) -> Parameter:
    return Parameter(
        found.name,
        required=found.default is inspect.Parameter.empty,
        positional=found.kind in _POSITIONAL,
        keyword=found.kind is not inspect.Parameter.POSITIONAL_ONLY,
        default=(found.default,) if isinstance(found.default, PLAIN_TYPES) else (),
    )
