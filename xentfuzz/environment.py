"""What a result depends on beside the code: versions and machine type, without a host name, a user name or a path of the machine."""

from __future__ import annotations

import os
import platform
import re
import site
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath, PureWindowsPath

# Libraries whose arithmetic or code generation decides a result.
LIBRARIES = (
    "numpy",
    "ml_dtypes",
    "torch",
    "numba",
    "llvmlite",
    "numba-cuda",
    "jax",
    "jaxlib",
    "triton",
    "onnxruntime",
    "cupy",
    "hypothesis",
)


def available_cores() -> int:
    """The number of cores that this process may use: fewer than the machine has in a container or under `taskset`."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def environment() -> dict[str, str]:
    """Name -> version of Python, the system and the libraries that are installed; nothing is imported for it."""
    found = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
    }
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def without_paths(text: str) -> str:
    """`text` with the machine's paths made relative: to the current directory, to site-packages, or cut to the file's name."""
    for folder in _known_folders():
        text = text.replace(folder + os.sep, "")
    # Between quotes a path may hold blanks; in running text a blank ends it.
    text = re.sub(r"""(["'])/(?:[^"'/\n]+/)+([^"'/\n]+)\1""", r"\1\2\1", text)
    return re.sub(r"(?<![\w.:/])(?:/[\w.+@-]+)+/([\w.+@-]+)", r"\1", text)


def reduced_command(arguments: Sequence[str]) -> list[str]:
    """A command line by the program's name, with absolute paths cut to names."""
    return ["xentfuzz", *map(reduced_argument, arguments[1:])]


def reduced_argument(argument: str) -> str:
    """A path, a target or an option of a command line, an absolute path in it cut to its name. It may hold blanks, unlike running text."""
    option, equals, value = argument.partition("=")
    if equals and option.startswith("-"):
        return f"{option}={reduced_argument(value)}"
    path = next((path for path in (PurePosixPath(argument), PureWindowsPath(argument)) if path.is_absolute()), None)
    return path.name if path else argument


def _known_folders() -> list[str]:
    packages = [*site.getsitepackages(), site.getusersitepackages(), *(path for path in sys.path if path.endswith("site-packages"))]
    folders = {str(Path.cwd()), str(Path(os.__file__).parent), *packages}
    # Longest first, so that a folder inside another one is cut as a whole.
    return sorted((folder for folder in folders if folder not in ("", os.sep)), key=len, reverse=True)
