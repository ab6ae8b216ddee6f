"""Where workers keep what compilers made, so that the one that replaces a worker does not compile it all again."""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

# JAX compiles in every process anew unless it is told where to keep the code; Triton, Inductor and Numba keep it unasked. Measured with
# optax's loss on JAX 0.10: a shape that another process compiled takes 0.3 s instead of 0.95 s, its gradient 0.35 s instead of 1.35 s.
FOLDER = "JAX_COMPILATION_CACHE_DIR"
WITHOUT_LIMITS = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}


class _Folder:
    """A folder that compilers make where they have something to keep, and that is removed when this process ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.gettempdir()) / f"xentfuzz-compiled-{secrets.token_hex(8)}"
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@functools.cache
def _folder() -> _Folder:
    return _Folder()


def kept_for_workers(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables by which the workers of this process share compiled code; none where the user or the implementation has a folder set."""
    if FOLDER in os.environ or FOLDER in environment:
        return {}
    return {FOLDER: str(_folder().path), **WITHOUT_LIMITS}
