"""Which part may import which, what is loaded when, and who may name an implementation (see xentfuzz/ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from xentfuzz.operations import get_operation, operation_names

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "xentfuzz"

BASE = {"errors", "dtypes", "arrays", "files", "environment"}
DECLARATION = BASE | {"implementation", "registry"}
SPECIFICATION = DECLARATION | {"operations"}
GENERATION = SPECIFICATION | {"recipes"}
SUBJECTS = GENERATION | {"worker", "subjects"}
JUDGEMENT = SUBJECTS | {"failures", "checks"}

# part -> the parts that it may import; a part may always import itself.
ALLOWED = {
    **dict.fromkeys(BASE, BASE),
    "implementation": BASE,
    "registry": DECLARATION,
    "operations": DECLARATION,
    "recipes": SPECIFICATION,
    "worker": DECLARATION | {"subjects.outcome"},
    "subjects": SUBJECTS,
    "failures": GENERATION | {"worker.reference"},
    "checks": JUDGEMENT,
    "runner": JUDGEMENT,
    "benchmark": JUDGEMENT | {"runner.events"},
    "versions": JUDGEMENT | {"runner", "benchmark"},
    "reports": JUDGEMENT | {"runner", "benchmark"},
    "gallery": BASE | {"implementation"},
    "power": JUDGEMENT | {"runner", "gallery"},
    "drawn_case": GENERATION | {"failures", "worker"},
    "judgement": JUDGEMENT | {"drawn_case"},
    "strategies": GENERATION | {"drawn_case"},
    "data": set(),
    "starter": BASE,
    "impls": {"implementation"},
}
UNRESTRICTED = {"__init__", "__main__", "command_line", "pytest_plugin", "pytest_checks", "pytest_benchmarks"}

HEAVY = {"hypothesis", "torch", "numba", "matplotlib", "jax"}
# Leaves that are themselves imported where they are used.
MAY_IMPORT_HEAVY = {
    "recipes/strategies.py": "hypothesis",
    "strategies.py": "hypothesis",
    "recipes/draw.py": "hypothesis",
    "worker/libraries/torch_tensors.py": "torch",
    "worker/libraries/cuda_arrays.py": "numba",
    "worker/libraries/jax_arrays.py": "jax",
    "worker/protocols/torch_autocast.py": "torch",
    "worker/protocols/torch_compile.py": "torch",
    "worker/protocols/torch_device.py": "torch",
    "worker/protocols/torch_grad_modes.py": "torch",
    "worker/protocols/torch_opcheck.py": "torch",
    "worker/protocols/torch_saved_logits.py": "torch",
    "worker/protocols/torch_second_backward.py": "torch",
    "worker/protocols/torch_stream.py": "torch",
    "worker/protocols/torch_frozen.py": "torch",
    "worker/protocols/torch_two_losses.py": "torch",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The dotted names that the import statements among `nodes` ask for; `from a import b` gives a.b."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_module_level(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs on import: function bodies are left out."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from at_module_level(child)


def is_allowed(part: str, name: str) -> bool:
    own = name.removeprefix("xentfuzz.")
    # The version and the package's folder are anybody's.
    return own in ("xentfuzz", "__version__") or any(own == allowed or own.startswith(f"{allowed}.") for allowed in ALLOWED[part] | {part})


def test_every_part_has_its_place_in_the_table() -> None:
    parts = {part_of(path) for path in modules()}
    assert parts <= set(ALLOWED) | UNRESTRICTED
    table = (PACKAGE / "ARCHITECTURE.md").read_text()
    assert [part for part in sorted(parts - {"__init__", "__main__"}) if f"`{part}" not in table] == []


def test_every_folder_of_modules_is_a_package() -> None:
    assert [relative(path) for path in modules() if not (path.parent / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) not in UNRESTRICTED], ids=relative)
def test_imports_go_one_way(path: Path) -> None:
    ours = [name for name in imported(ast.walk(tree(path))) if name.split(".")[0] == "xentfuzz"]
    assert [name for name in ours if not is_allowed(part_of(path), name)] == []


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) != "impls"], ids=relative)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(at_module_level(tree(path)))}
    assert tops & HEAVY - {MAY_IMPORT_HEAVY.get(relative(path))} == set()


@pytest.mark.parametrize("path", sorted((PACKAGE / "operations").rglob("*.py")), ids=relative)
def test_exact_results_depend_on_no_array_library_but_numpy(path: Path) -> None:
    assert {name.split(".")[0] for name in imported(ast.walk(tree(path)))} & HEAVY == set()


def implementation_names() -> set[str]:
    """The names of our implementations, without those that are also the name of a library."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    libraries = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in requirements}
    return set(project["entry-points"]["xentfuzz.implementations"]) - libraries


def string_literals(module: ast.Module) -> Iterator[str]:
    """Every string that is no docstring."""
    statements = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.value


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) != "impls"], ids=relative)
def test_the_harness_names_no_implementation(path: Path) -> None:
    literals = list(string_literals(tree(path)))
    assert [name for name in sorted(implementation_names()) if any(name in literal for literal in literals)] == []


# Rooms that are about our operations: these state them, compute them, plant bugs in them and compare how others test them.
OF_OPERATIONS = ("operations/", "impls/", "gallery/", "power/")
# What may use such a word elsewhere, and why.
MAY_NAME_OPERATIONS = {
    "implementation.py": "the operation where none is named, which is part of the interface",
    "strategies.py": "strategies that people call by these names",
    "runner/recorded.py": "what the arrays in a user's own file are called",
    "failures/features.py": "names of features, which stored expectations use",
    "failures/explain_case.py": "the same features",
    "runner/region.py": "the same features",
    "command_line/power": "words of a sentence and of a heading",
    "runner/results.py": "the place in code that a target was given by",
    "subjects/target.py": "a target of a check",
    "worker/server.py": "a target of a check",
}
# How many literals of each other module are such names still, most of them the field `weight` of what an implementation takes: a number may
# fall, and none may grow. A new module has none.
NAMED_STILL = {
    "checks/enlarged.py": 1,
    "checks/many.py": 1,
    "command_line/values.py": 3,
    "recipes/edits.py": 1,
    "reports/card.py": 1,
    "runner/coverage.py": 2,
    "runner/extent.py": 1,
    "runner/measured.py": 5,
    "runner/required.py": 2,
    "subjects/as_declared.py": 2,
    "subjects/declared.py": 1,
    "subjects/probe.py": 3,
    "worker/callee.py": 1,
}


def names_of_operations() -> set[str]:
    """What our operations, their arguments and their options are called."""
    parts = ((operation, *operation.arguments, *operation.options) for operation in map(get_operation, operation_names()))
    return {part.name for part in itertools.chain(*parts)}


def of_no_operation() -> list[Path]:
    return [path for path in modules() if not relative(path).startswith((*OF_OPERATIONS, *MAY_NAME_OPERATIONS))]


@pytest.mark.parametrize("path", of_no_operation(), ids=relative)
def test_the_harness_names_no_operation(path: Path) -> None:
    named = [literal for literal in string_literals(tree(path)) if literal in names_of_operations()]
    assert len(named) <= NAMED_STILL.get(relative(path), 0), f"ask the operation instead (its traits, target, weight, options): {named}"


def test_what_may_name_operations_is_there_and_short() -> None:
    assert len(MAY_NAME_OPERATIONS) <= 10
    places = {relative(path) for path in modules()}
    assert [name for name in OF_OPERATIONS if not (PACKAGE / name).is_dir()] == []
    assert [name for name in MAY_NAME_OPERATIONS if not any(place.startswith(name) for place in places)] == []
    assert set(NAMED_STILL) <= places


def loaded_after(statements: str) -> set[str]:
    """The modules that a fresh interpreter holds after running `statements`."""
    code = f"{statements}\nimport sys\nprint('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("loaded:")[2].split())


LIGHT = {
    "import": "import xentfuzz",
    "plug-in": "import xentfuzz.pytest_plugin",
    "help": """
import contextlib, sys, importlib.metadata
(command,) = importlib.metadata.entry_points(group="console_scripts", name="xentfuzz")
sys.argv = ["xentfuzz", "--help"]
with contextlib.suppress(SystemExit):
    command.load()()
""",
}


@pytest.mark.parametrize("statements", LIGHT.values(), ids=LIGHT.keys())
def test_the_front_door_loads_no_heavy_library_and_no_implementation(statements: str) -> None:
    loaded = loaded_after(statements)
    assert "xentfuzz" in loaded
    assert {name for name in loaded if name in HEAVY or name.startswith("xentfuzz.impls")} == set()


@pytest.mark.parametrize("path", sorted((PACKAGE / "impls").rglob("*.py")), ids=relative)
def test_kernels_hold_no_assert(path: Path) -> None:
    # pytest rewrites the asserts of an installed plug-in's whole distribution, and Numba cannot compile what it puts in their place.
    assert [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Assert)] == []
