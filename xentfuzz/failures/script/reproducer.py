"""From a failure to a Python script that shows it alone: short, in the target's own library, without xentfuzz."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from xentfuzz import __version__
from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, numpy_dtype
from xentfuzz.environment import environment, without_paths
from xentfuzz.failures.failure import CRASH_KINDS, KINDS, Failure, listed
from xentfuzz.failures.script.arrays import for_file, is_large
from xentfuzz.failures.script.libraries import Library, library_of
from xentfuzz.failures.script.literals import Array
from xentfuzz.failures.script.shown import Shown
from xentfuzz.failures.script.target import Preamble, Target
from xentfuzz.failures.script.verdicts import UNJUDGED, unjudged, verdict
from xentfuzz.failures.source import Source
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.roles import has_target, target_name

# What a script's text uses -> the line that imports it.
IMPORTS = {
    "base64.": "import base64",
    "ctypes.": "import ctypes",
    "math.": "import math",
    "os.": "import os",
    "pickle.": "import pickle",
    "platform.": "import platform",
    "random.": "import random",
    "runpy.": "import runpy",
    "struct.": "import struct",
    "subprocess.": "import subprocess",
    "sys.": "import sys",
    "time.monotonic(": "import time",
    "time.sleep(": "import time",
    "tempfile.": "import tempfile",
    "warnings.": "import warnings",
    "zlib.": "import zlib",
    "ThreadPoolExecutor(": "from concurrent.futures import ThreadPoolExecutor",
    "Path(": "from pathlib import Path",
}
LIBRARY_IMPORTS = {
    "jax.": "import jax",
    "jnp.": "import jax.numpy as jnp",
    "ml_dtypes.": "import ml_dtypes",
    "numba.": "import numba",
    "np.": "import numpy as np",
    "torch.": "import torch",
    "cuda.to_device": "from numba import cuda",
}
# The call runs in a child, whose end can be told; one that comes back ends it with a status of its own.
GUARD = """SURVIVED = 42
if "call" not in sys.argv:
    try:
        status = subprocess.run([sys.executable, __file__, "call"], stdout=subprocess.DEVNULL, timeout=60).returncode
        print("the call came back" if status == SURVIVED else f"the call ended the process with status {status}")
    except subprocess.TimeoutExpired:
        status = print("the call did not come back within 60 s")
    sys.exit(0 if status == SURVIVED else 1)"""


def reproducer(failure: Failure, file: str | None = None) -> str:
    """A script that makes the call, prints device, versions, what came, what is exact and allowed, and exits 1 where that is outside.

    file: the name of an .npz that will lie beside the script with `large_arrays` in it; without it everything is in the script itself.
    """
    if failure.unscriptable:
        return f"# {failure.unscriptable}\n"
    source = failure.source or Source({"forward": ""})
    library, preamble = library_of(source, failure.dtype), Preamble()
    targets = {operation: Target(its, preamble) for operation, its in {**failure.siblings, failure.operation: source}.items()}
    shared: dict[str, str] = {}
    shown = [_shown(call, targets[call.case.operation], library, file, shared) for call in _calls(failure)]
    judge, makes_the_calls = verdict(failure)
    crash = failure.kind in CRASH_KINDS
    judged = judge(failure, shown, library)
    ends_itself = judged[-1].startswith(("sys.exit(", "os._exit("))
    calls = [] if makes_the_calls else [line for call in shown for line in call.statements]
    body = _paragraphs(
        preamble.definitions,
        [line for call in shown for line in call.arrays],
        [f'print(f"Python {{platform.python_version()}}, {library.versions}")', *calls],
        [*judged, *([] if ends_itself else ["sys.exit(0 if ok else 1)"])],
    )
    before = _paragraphs(_environment(source), [GUARD] if crash else [])
    head = _paragraphs(
        [_docstring(failure, source, told=judge is not unjudged)],
        ["from __future__ import annotations"] if "->" in body else [],
        _imports(IMPORTS, "\n".join([before, *preamble.paths, body])),
        [before] if before else [],
        _imports(LIBRARY_IMPORTS, body),
        [*preamble.paths, *preamble.imports],
    )
    return f"{head}\n\n{body}\n"


def large_arrays(failure: Failure) -> dict[str, Array]:
    """The arrays that a script rather loads from a file, by the names under which it does; bfloat16 as uint16."""
    named = [(f"{name}{call.suffix}", array) for call in _calls(failure) for name, array in call.arrays.items()]
    return {name: for_file(array) for name, array in named if is_large(array)}


@dataclass(frozen=True)
class _Call:
    """arrays: those that the function takes. suffix: what tells this call's variables from those of the calls before it."""

    function: str
    case: Case
    arrays: Mapping[str, StridedArray]
    suffix: str


def _calls(failure: Failure) -> list[_Call]:
    own = str(failure.details.get("function") or "forward")
    calls = failure.calls or ((own, Case(failure.operation, failure.dtype, failure.arrays, failure.options)),)
    loss_dtype = failure.source.loss_dtype if failure.source else None
    return [
        _Call(function, case, _taken(function, case, loss_dtype), f"_{number}" if number > 1 else "")
        for number, (function, case) in enumerate(calls, 1)
    ]


def _taken(function: str, case: Case, loss_dtype: str | None) -> dict[str, StridedArray]:
    """The arrays that a function takes; the upstream gradient in the dtype of the loss."""
    arrays = dict(case.arrays)
    upstream = arrays.pop("grad_output", None)
    if function == "backward" and upstream is not None:
        same = loss_dtype is None or upstream.dtype == loss_dtype
        arrays["grad_output"] = upstream if same else StridedArray.of(upstream.view().astype(numpy_dtype(loss_dtype or "")))
    return arrays


def _shown(call: _Call, target: Target, library: Library, file: str | None, shared: dict[str, str]) -> Shown:
    names, arrays = _arrays(call, library, file, shared)
    outputs = _outputs(call, target, names)
    autodiff = call.function == "backward" and "backward" not in target.source.places
    expression = target.call("forward" if autodiff else call.function, call.case, names)
    if autodiff:
        of = [names[output.removeprefix("grad_")] for output in outputs]
        statements = library.gradients(expression, _value_name(call), of, names["grad_output"])
    else:
        statements = [f"{', '.join(outputs.values())} = {expression}"]
    statements += [line for variable in outputs.values() for line in library.collected(variable)]
    return Shown(call.function, call.case, arrays, statements, names, outputs)


def _arrays(call: _Call, library: Library, file: str | None, shared: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variable of each argument, and the statements that make those that no earlier call has made; shared: array -> variable."""
    names: dict[str, str] = {}
    lines: list[str] = []
    for name, array in call.arrays.items():
        owner = next((other for other in names if call.arrays[other].storage is array.storage), None)
        if owner is not None:
            names[name] = f"{name}{call.suffix}"
            lines.append(f"{names[name]} = {_part_of(names[owner], array, call.arrays[owner])}")
            continue
        content = hashlib.sha256(array.storage.data).hexdigest()
        key = f"{name} {array.dtype} {array.shape} {array.strides} {array.offset} {content}"
        if key not in shared:
            shared[key] = f"{name}{call.suffix}"
            lines += library.array(shared[key], array, file)
        names[name] = shared[key]
    return names, lines


def _part_of(owner: str, array: StridedArray, whole: StridedArray) -> str:
    """An array that is another one, or its first elements."""
    if array.shape == whole.shape:
        return owner
    return f"{owner}.reshape(-1)[:{prod(array.shape)}].reshape({array.shape})"


def _value_name(call: _Call) -> str:
    return f"{'loss' if has_target(call.case) else 'result'}{call.suffix}"


def _outputs(call: _Call, target: Target, names: Mapping[str, str]) -> dict[str, str]:
    """Output -> variable, of what a call gives."""
    value = {"value": _value_name(call)}
    first = get_operation(call.case.operation).arguments[0].name
    if call.function == "forward":
        return value
    with_gradient = [first] if call.function == "value_and_grad" or "backward" in target.source.places else _differentiable(call.case)
    gradients = {f"grad_{name}": f"grad_{names[name]}" for name in with_gradient}
    return value | gradients if call.function == "value_and_grad" else gradients


def _differentiable(case: Case) -> list[str]:
    """As a worker asks autodiff: with class indices for the first argument alone, as targets and weights have no gradient then."""
    arguments = get_operation(case.operation).arguments
    first, target = arguments[0].name, case.arrays.get(target_name(case.operation))
    if target is None or target.shape != case.arrays[first].shape or target.dtype not in FLOAT_NAMES:
        return [first]
    return [argument.name for argument in arguments if argument.differentiable and argument.name in case.arrays]


def _paragraphs(*parts: Sequence[str]) -> str:
    return "\n\n".join("\n".join(part) for part in parts if part)


def _environment(source: Source) -> list[str]:
    return [f"os.environ.update({json.dumps(source.environment)})"] if source.environment else []


def _imports(table: Mapping[str, str], text: str) -> list[str]:
    lines = [line for word, line in table.items() if re.search(rf"(?<![\w.]){re.escape(word)}", text)]
    unprinted = re.sub(r"(?m)^ *print\(.*$", "", text)
    constants = [name for name in ("inf", "nan") if table is IMPORTS and re.search(rf"(?<![\w.]){name}\b", unprinted)]
    return sorted(lines, key=lambda line: line.startswith("from ")) + ([f"from math import {', '.join(constants)}"] if constants else [])


def _docstring(failure: Failure, source: Source, *, told: bool) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in environment().items() if name in ("python", "numpy", source.array))
    lines = [
        failure.headline,
        "",
        f"{failure.implementation}, {failure.operation}, {failure.dtype}: {KINDS[failure.kind]}.",
        *([f"Needs {listed(failure.needs)}."] if failure.needs else []),
        f"Found by xentfuzz {__version__} (check {failure.check}; {versions}), which this script does without.",
        "Exit status: 1 where it is still so, 0 where it is right." if told else f"Exit status: {UNJUDGED}, as it is not judged here.",
    ]
    text = without_paths("\n".join(lines)).replace("\\", "\\\\").replace('"', "'")
    return f'"""{text}\n"""'
