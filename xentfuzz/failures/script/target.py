"""How a script imports the target, and the expression that calls it."""

from __future__ import annotations

import importlib.util
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xentfuzz.failures.script.inline import inlined
from xentfuzz.failures.script.literals import number
from xentfuzz.failures.source import Source
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case

# Names that the script uses for itself.
TAKEN = {
    *("np", "torch", "jax", "jnp", "cuda", "numba", "ml_dtypes", "inf", "nan"),
    *("base64", "ctypes", "math", "os", "pickle", "platform", "random", "runpy", "subprocess", "sys", "tempfile", "warnings", "zlib"),
    *("after", "alone", "allowed", "arguments", "before", "byte", "calls", "changed", "closed", "different", "error", "exact", "file"),
    *("fill_free_memory", "got", "kept", "loss", "ok", "pool", "report", "result", "right", "row", "saved", "seen", "shared", "states"),
    *("storage", "together", "values", "wanted", "written"),
}
PLACEHOLDER = """{name} = None  # <--- put the function here: it had no name to import it by
if {name} is None:
    sys.exit("edit this script first: it can't import the function by itself")"""


@dataclass
class Preamble:
    """The lines of a script that give functions their names."""

    paths: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: set(TAKEN))

    def free(self, name: str) -> str:
        """A variable for `name` that nothing else in the script uses."""
        while name in self.taken:
            name = f"{name}_function"
        self.taken.add(name)
        return name

    def add_path(self, folder: str) -> None:
        line = f'sys.path.insert(0, "{folder}")'
        if line not in self.paths:
            self.paths.append(line)


@dataclass
class Target:
    """The functions of an implementation in a script."""

    source: Source
    preamble: Preamble
    names: dict[str, str] = field(default_factory=dict)

    def name(self, function: str) -> str:
        """The expression for a function; imports it on first use."""
        if function not in self.names:
            self.names[function] = self._imported(function, self.source.places.get(function, ""))
        return self.names[function]

    def call(self, function: str, case: Case, names: Mapping[str, str]) -> str:
        """The call of a function with a case; names: argument name -> variable."""
        operation = get_operation(case.operation)
        leading = [names[argument.name] for argument in operation.arguments if not argument.optional]
        if function == "backward":
            leading.insert(0, names["grad_output"])
        named = self._named(function, case, names)
        form, called = self.source.form(function), self.name(function)
        if form.kind == "module":
            return f"{called}({_keywords(named)})({', '.join(leading)})"
        if form.kind == "autograd_function":
            return f"{called}.apply({', '.join([*leading, *_in_order(named, form.parameters or tuple(named), self._defaults(case))])})"
        return f"{called}({', '.join(filter(None, [*leading, _keywords(named)]))})"

    def _named(self, function: str, case: Case, names: Mapping[str, str]) -> dict[str, str]:
        """What is passed by name, in the functions' own spelling: values that differ from their default, and parameters that have none."""
        operation = get_operation(case.operation)
        spelling = {ours: own for own, ours in self.source.renames.items()}
        required, parameters = self.source.form(function).required, self.source.form(function).parameters
        named = {}
        for argument in operation.arguments:
            own = spelling.get(argument.name, argument.name)
            if argument.optional and (argument.name in names or own in required):
                named[own] = names.get(argument.name, "None")
        for option in operation.options:
            own, value = spelling.get(option.name, option.name), case.options.get(option.name, option.default)
            differs = type(value) is not type(option.default) or value != option.default
            if parameters is not None and own not in parameters:
                continue
            if differs or option.always or own in required:
                named[own] = number(value)
        return named | {name: number(value) for name, value in self.source.fixed.items()}

    def _defaults(self, case: Case) -> dict[str, str]:
        spelling = {ours: own for own, ours in self.source.renames.items()}
        return {spelling.get(name, name): number(value) for name, value in get_operation(case.operation).defaults.items()}

    def _imported(self, function: str, place: str) -> str:
        where, _, path = place.rpartition(":")
        if not where:
            name = self.preamble.free(function)
            self.preamble.definitions.append(PLACEHOLDER.format(name=name))
            return name
        first, *steps = path.split(".")
        name = self._from_file(PurePosixPath(where), first) if where.endswith(".py") else self._from_package(where, first)
        return name + "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps)

    def _from_package(self, module: str, attribute: str) -> str:
        if inlined(module, attribute) is not None:
            name = self.preamble.free(attribute)
            self.preamble.definitions.append(f"\n{inlined(module, attribute, name)}\n")
            return name
        if _is_below_here(module):
            self.preamble.add_path(".")
        return self._from_module(module, attribute)

    def _from_module(self, module: str, attribute: str) -> str:
        name = self.preamble.free(attribute)
        self.preamble.imports.append(f"from {module} import {attribute}" + (f" as {name}" if name != attribute else ""))
        return name

    def _from_file(self, file: PurePosixPath, attribute: str) -> str:
        if not file.stem.isidentifier() or keyword.iskeyword(file.stem):
            return f'runpy.run_path("{file}")["{attribute}"]'
        self.preamble.add_path(str(file.parent))
        return self._from_module(file.stem, attribute)


def _keywords(named: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in named.items())


def _in_order(named: Mapping[str, str], order: tuple[str, ...], defaults: Mapping[str, str]) -> list[str]:
    """Positional arguments up to the last one that is given; those between keep their default."""
    last = max((index for index, name in enumerate(order) if name in named), default=-1)
    return [named.get(name, defaults.get(name, "None")) for name in order[: last + 1]]


def _is_below_here(module: str) -> bool:
    """Whether a module is found below the current directory, so that a script elsewhere needs it on its path."""
    try:
        found = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return False
    return bool(found and found.origin and Path(found.origin).resolve().is_relative_to(Path.cwd()) and "site-packages" not in found.origin)
