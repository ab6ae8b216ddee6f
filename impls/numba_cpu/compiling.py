"""Compilation: Numba's, with a cache on disk that knows of all files of this package.

Numba looks for a changed source in the file of the function that it compiles alone, not in the files of what that function calls. The
digest of this folder's sources in each key mends that. Keys hold no path, and compiled code no address: the folder may be moved.

Numba makes machine code and two wrappers for Python of every function, after optimising it together with all that it calls; and it looks
for closures, literals and contexts in each. Functions that kernels alone call need none of that: they are optimised once, in the kernel.
That halves the time that compilation takes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import typed_passes, untyped_passes
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager, register_pass
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic  # its types are those of what generates code, not of what compiled code calls

Function = TypeVar("Function", bound=Callable[..., Any])


@functools.cache
def _digest_of_sources() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


class _Cache(FunctionCache):
    def _index_key(self, sig: Any, codegen: Any) -> Any:
        key: Any = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]
        return (*key, _digest_of_sources())


class _PartLibrary(JITCodeLibrary):
    """Code that is not run from here: neither optimised beyond its functions nor made machine code of."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)  # type: ignore[no-untyped-call]
class _PartLowering(typed_passes.NativeLowering):
    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        flags, target = state.flags, state.targetctx
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        state.library = _PartLibrary(target.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        super().run_pass(state)  # type: ignore[no-untyped-call]
        entry_point = [].clear  # what calls are looked up by: of the type that Numba demands, its own, and an error when called
        target.insert_user_function(entry_point, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=entry_point)
        return True


class _KernelCompiler(CompilerBase):
    """The passes that these functions need, of Numba's."""

    lowering: Any = typed_passes.NativeLowering

    def define_pipelines(self) -> list[Any]:
        passes: Any = PassManager("kernel")  # type: ignore[no-untyped-call]
        for each in (
            untyped_passes.TranslateByteCode,
            untyped_passes.FixupArgs,
            untyped_passes.IRProcessing,
            untyped_passes.ReconstructSSA,
            typed_passes.NopythonTypeInference,
            typed_passes.PreLowerStripPhis,
            typed_passes.IRLegalization,
            typed_passes.AnnotateTypes,
            self.lowering,
            typed_passes.NoPythonBackend,
        ):
            passes.add_pass(each, each.__name__)
        passes.finalize()
        return [passes]


class _PartCompiler(_KernelCompiler):
    lowering = _PartLowering


# No fastmath flag anywhere: results would depend on what the compiler makes of them, and so on the processor.
_compile: Any = functools.partial(numba.njit, error_model="numpy")


def kernel(function: Function) -> Function:
    """Compile a function that Python calls: without the interpreter lock, cached on disk where there is a place for it."""
    dispatcher = _compile(nogil=True, pipeline_class=_KernelCompiler)(function)
    with contextlib.suppress(RuntimeError):  # nowhere to write a cache
        dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as `enable_caching` does
    compiled: Function = dispatcher
    return compiled


def inline(function: Function) -> Function:
    """Compile a function that kernels call, as a part of those that call it whatever its size."""
    compiled: Function = _compile(forceinline=True, pipeline_class=_PartCompiler)(function)
    return compiled


def part(function: Function) -> Function:
    """Compile a function that kernels call."""
    compiled: Function = _compile(pipeline_class=_PartCompiler)(function)
    return compiled
