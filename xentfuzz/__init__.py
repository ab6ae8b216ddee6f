"""Differential testing and benchmarking of softmax cross-entropy kernels."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xentfuzz.drawn_case import case
    from xentfuzz.failures.failure import Failure
    from xentfuzz.implementation import Implementation
    from xentfuzz.judgement import allowed_error, assert_correct, exact
    from xentfuzz.pytest_plugin import parametrize, parametrize_benchmark
    from xentfuzz.registry import get, implementations, register
    from xentfuzz.runner.check import check
    from xentfuzz.runner.results import CheckReport

__version__ = "0.1.0"

__all__ = [
    "CheckReport",
    "Failure",
    "Implementation",
    "__version__",
    "allowed_error",
    "assert_correct",
    "case",
    "check",
    "exact",
    "get",
    "implementations",
    "parametrize",
    "parametrize_benchmark",
    "register",
]

# Public name -> the module that defines it; imported on first use, so that `import xentfuzz` stays light.
_HOMES = {
    "CheckReport": "xentfuzz.runner.results",
    "Failure": "xentfuzz.failures.failure",
    "Implementation": "xentfuzz.implementation",
    "allowed_error": "xentfuzz.judgement",
    "assert_correct": "xentfuzz.judgement",
    "case": "xentfuzz.drawn_case",
    "check": "xentfuzz.runner.check",
    "exact": "xentfuzz.judgement",
    "get": "xentfuzz.registry",
    "implementations": "xentfuzz.registry",
    "parametrize": "xentfuzz.pytest_plugin",
    "parametrize_benchmark": "xentfuzz.pytest_plugin",
    "register": "xentfuzz.registry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
