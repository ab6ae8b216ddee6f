"""What the signatures of an implementation say: which arguments and options it takes, and which of its parameters nobody explains."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.operations.operation import Operation, Option
from xentfuzz.worker.describe import parameters_in
from xentfuzz.worker.parameters import Parameters

# From so many letters on a name that another one begins with stands for it.
SHORTEST_BEGINNING = 3


def supported_options(description: Mapping[str, Any], implementation: Implementation, operation: Operation) -> tuple[str, ...]:
    """The options that forward takes. Those that only some signatures have count where they are named, not where everything is taken."""
    parameters = parameters_in(description["forward"])
    named = {parameter.name for parameter in parameters.named or ()}

    def takes(option: Option) -> bool:
        own = _own(implementation, option.name)
        return own in named if option.opt_in else parameters.takes(own)

    return tuple(option.name for option in operation.options if takes(option))


def fixed_value(implementation: Implementation, option: Option) -> tuple[Any, ...]:
    """(The value that an option of ours is fixed at,), or () where it is not: other values would never reach forward."""
    own = _own(implementation, option.name)
    if own not in implementation.fixed:
        return ()
    value = implementation.fixed[own]
    return (float(value) if type(value) is int and isinstance(option.default, float) else value,)


def takes_argument(description: Mapping[str, Any], implementation: Implementation, name: str) -> bool:
    """Whether forward takes an array that is passed by keyword (weight)."""
    return parameters_in(description["forward"]).takes(_own(implementation, name))


def require_explained(description: Mapping[str, Any], implementation: Implementation, operation: Operation) -> None:
    """Raises UsageError, with a suggestion, for a required parameter that is none of ours, and for what is renamed or fixed in vain."""
    known = _known(operation)
    _require_fixed(implementation, [parameters_in(described) for described in description.values()])
    for function, described in description.items():
        parameters = parameters_in(described)
        _require_renamed(implementation, known, parameters, function)
        _require_always(implementation, operation, parameters, function)
        explained = {*(known - set(implementation.renames.values())), *implementation.renames, *implementation.fixed}
        for parameter in parameters.named or ():
            if parameter.required and parameter.name not in explained:
                raise UsageError(_unexplained(implementation, function, parameter.name, operation))


def _require_renamed(implementation: Implementation, known: set[str], parameters: Parameters, function: str) -> None:
    for own, ours in implementation.renames.items():
        if ours not in known:
            wanted = f"none of {', '.join(sorted(known))}; required arrays are passed by position, whatever they are called"
            raise UsageError(f"{implementation.name}: renames {own!r} to {ours!r}, which is {wanted}")
        if function == "forward" and not parameters.takes(own):
            raise UsageError(f"{implementation.name}: renames {own!r}, but forward has no such parameter")


def _require_fixed(implementation: Implementation, functions: Sequence[Parameters]) -> None:
    for own in implementation.fixed:
        if not any(parameters.takes(own) for parameters in functions):
            names = sorted({parameter.name for parameters in functions for parameter in parameters.named or ()})
            near = difflib.get_close_matches(own, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none beside the arrays'}"
            raise UsageError(f"{implementation.name}: fixes {own!r}, but no function of it has such a parameter; {hint}")


def _require_always(implementation: Implementation, operation: Operation, parameters: Parameters, function: str) -> None:
    """An option that is always passed must not be left to a parameter of another name, whose default nobody knows."""
    for option in operation.options:
        if option.always and not parameters.takes(_own(implementation, option.name)):
            for parameter in parameters.named or ():
                if parameter.name in option.spellings:
                    raise UsageError(_unexplained(implementation, function, parameter.name, operation))


def other_names(description: Mapping[str, Any], implementation: Implementation, operation: Operation) -> dict[str, str]:
    """Parameters of forward that nothing explains and that look like ours under another name: its own name -> ours."""
    parameters = parameters_in(description["forward"])
    missing = {name for name in _suggested(operation) if not parameters.takes(_own(implementation, name))}
    explained = {*_known(operation), *implementation.renames, *implementation.fixed}
    guesses = ((parameter.name, _nearest(parameter.name, missing, operation)) for parameter in parameters.named or ())
    return {own: near for own, near in guesses if near is not None and own not in explained}


def other_spellings(description: Mapping[str, Any], implementation: Implementation, operation: Operation) -> list[str]:
    """A line for each of these."""
    guesses = other_names(description, implementation, operation)
    return [f'has {own!r}, which looks like {near}: renames={{"{own}": "{near}"}}' for own, near in guesses.items()]


def own_defaults(description: Mapping[str, Any], implementation: Implementation, operation: Operation) -> list[str]:
    """A line for each option that forward leaves at another value than the contract where it is not given."""
    parameters = {parameter.name: parameter for parameter in parameters_in(description["forward"]).named or ()}
    lines = []
    for option in operation.options:
        parameter = parameters.get(_own(implementation, option.name))
        if parameter is None or option.always or parameter.name in implementation.fixed or parameter.required:
            continue
        if not parameter.stands_for(option.default):
            wanted = f"the contract's default is {option.default!r}; it is passed in every call"
            lines.append(f"{parameter.name} is {parameter.default[0]!r} where it is not given, {wanted}")
    return lines


def own_default(description: Mapping[str, Any], implementation: Implementation, option: str) -> tuple[Any, ...]:
    """(The value that forward has an option at where it is not given,), or () where it has none or is no plain data."""
    name = _own(implementation, option)
    return next((tuple(parameter.default) for parameter in parameters_in(description["forward"]).named or () if parameter.name == name), ())


def _nearest(name: str, known: set[str], operation: Operation) -> str | None:
    meant = operation.spellings.get(name)
    if meant in known:
        return meant
    longer = [one for one in known if one.startswith(name)] if len(name) >= SHORTEST_BEGINNING else []
    return longer[0] if len(longer) == 1 else next(iter(difflib.get_close_matches(name, known, n=1)), None)


def _unexplained(implementation: Implementation, function: str, name: str, operation: Operation) -> str:
    fixed = f'fixed={{"{name}": ...}}'
    near = _nearest(name, _suggested(operation), operation)
    if near is None:
        hint = f"a value that is always the same goes in {fixed}, an argument of xentfuzz.Implementation"
    else:
        hint = f'did you mean renames={{"{name}": "{near}"}}? Otherwise {fixed}, both arguments of xentfuzz.Implementation'
    return f"{implementation.name}: {function} has {name!r}, which no argument of {operation.name} explains; {hint}"


def _known(operation: Operation) -> set[str]:
    return {argument.name for argument in operation.arguments if argument.optional} | {option.name for option in operation.options}


def _suggested(operation: Operation) -> set[str]:
    """What a parameter may stand for that has another name: nobody means a deprecated option."""
    return _known(operation) - {option.name for option in operation.options if option.opt_in}


def _own(implementation: Implementation, name: str) -> str:
    """The implementation's spelling of our `name`."""
    return next((own for own, ours in implementation.renames.items() if ours == name), name)
