"""The state of a process that belongs to everybody in it: read, compared and put back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.worker import control_word


@dataclass(frozen=True)
class Part:
    """One thing that a call has to leave alone. read: its state, compared by ==; None where there is none.

    write: puts a state back; None where that can't be done. lasting: no library changes it by being imported or used for the first time.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any] | None = None
    lasting: bool = True


Fingerprint = dict[str, Any]


def fingerprint() -> Fingerprint:
    return {part.name: part.read() for part in PARTS}


def differences(before: Fingerprint, after: Fingerprint, *, lasting: bool = False) -> list[str]:
    """One line for each part that differs. lasting: only those that may not change at a first call either."""
    return [
        f"{part.name} {_words(before[part.name], after[part.name])}"
        for part in PARTS
        if before[part.name] not in (None, after[part.name]) and (part.lasting or not lasting)
    ]


def restore(state: Fingerprint) -> None:
    for part in PARTS:
        if part.write is not None and state[part.name] is not None and part.read() != state[part.name]:
            part.write(state[part.name])


def _words(before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        # Names alone: values may be private.
        return ", ".join(sorted(str(name) for name in {**before, **after} if before.get(name) != after.get(name)))
    if isinstance(before, str | int | float | bool) and isinstance(after, str | int | float | bool):
        return f"{before} -> {after}"
    return "changed"


def _digest(state: Any) -> bytes:
    return hashlib.blake2b(repr(state).encode()).digest()


def _numpy_random() -> Any:
    legacy: Any = np.random.get_state(legacy=True)  # noqa: NPY002 - the very state that everybody shares
    return hashlib.blake2b(np.asarray(legacy[1]).tobytes() + repr(legacy[2:]).encode()).digest()


def _directory() -> str | None:
    try:
        return hashlib.blake2b(os.fsencode(os.getcwd()), digest_size=4).hexdigest()  # noqa: PTH109 - may be gone
    except OSError:
        return None


def _enter(digest: str) -> None:
    with contextlib.suppress(OSError):
        os.chdir(_entered.get(digest, "."))


# digest of a folder's name -> the name: names of folders are no business of reports.
_entered: dict[str, str] = {}


def _remembered_directory() -> str | None:
    digest = _directory()
    if digest is not None:
        _entered.setdefault(digest, os.getcwd())  # noqa: PTH109 - a text, as chdir takes it back
    return digest


def _set_environment(state: dict[str, str]) -> None:
    for name in {*os.environ} - {*state}:
        del os.environ[name]
    os.environ.update(state)


def _set_filters(state: list[Any]) -> None:
    with contextlib.suppress(AttributeError):
        warnings.filters[:] = state  # type: ignore[index]  # typed as a sequence, and a list
        warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001 - what resetwarnings() does after such a change


def _open_files() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not looked at
    except OSError:
        return None


def _torch(read: Callable[[Any], Any]) -> Callable[[], Any]:
    def reader() -> Any:
        torch = sys.modules.get("torch")
        return None if torch is None else read(torch)

    return reader


def _torch_set(write: Callable[[Any, Any], Any]) -> Callable[[Any], None]:
    def writer(state: Any) -> None:
        torch = sys.modules.get("torch")
        if torch is not None:
            write(torch, state)

    return writer


def _set_default_dtype(torch: Any, name: str) -> None:
    torch.set_default_dtype(getattr(torch, name.removeprefix("torch.")))


def _numba_threads() -> int | None:
    parallel: Any = sys.modules.get("numba.np.ufunc.parallel")
    # Asking starts the threads where they don't run yet.
    if parallel is None or not getattr(parallel, "_is_initialized", False):
        return None
    count: int = parallel.get_num_threads()
    return count


def _set_numba_threads(count: int) -> None:
    parallel: Any = sys.modules["numba.np.ufunc.parallel"]
    parallel.set_num_threads(count)


def _rounding() -> int | None:
    # That subnormal numbers are flushed is told elsewhere: loading a library compiled with -ffast-math is enough for it.
    state = control_word.control(control_word.read())
    return None if state is None else state.rest


PARTS = (
    Part("the floating-point rounding mode, precision and traps:", _rounding),
    Part("NumPy's error state:", np.geterr, lambda state: np.seterr(**state)),
    Part("NumPy's global random state", _numpy_random),
    Part("Python's global random state", lambda: _digest(random.getstate()), lasting=False),
    Part("the current directory", _remembered_directory, _enter),
    Part("environment variables:", lambda: dict(os.environ), _set_environment, lasting=False),
    Part("warning filters", lambda: list(warnings.filters), _set_filters, lasting=False),
    Part("the number of open files", _open_files, lasting=False),
    Part("sys.stdout", lambda: id(sys.stdout), lasting=False),
    Part("sys.stderr", lambda: id(sys.stderr), lasting=False),
    Part("torch's default dtype", _torch(lambda torch: str(torch.get_default_dtype())), _torch_set(_set_default_dtype)),
    Part("torch's gradient mode", _torch(lambda torch: torch.is_grad_enabled()), _torch_set(lambda torch, on: torch.set_grad_enabled(on))),
    Part("torch's number of threads", _torch(lambda torch: torch.get_num_threads()), _torch_set(lambda torch, n: torch.set_num_threads(n))),
    Part(
        "torch's use of deterministic algorithms",
        _torch(lambda torch: torch.are_deterministic_algorithms_enabled()),
        _torch_set(lambda torch, on: torch.use_deterministic_algorithms(on)),
    ),
    Part("torch's global random state", _torch(lambda torch: hashlib.blake2b(torch.get_rng_state().numpy().tobytes()).digest())),
    Part("torch's anomaly detection", _torch(lambda torch: torch.is_anomaly_enabled())),
    Part("Numba's number of threads", _numba_threads, _set_numba_threads, lasting=False),
)
