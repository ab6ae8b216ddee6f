"""Which exceptions can be a deliberate refusal, so that what meets them is a feature that is missing and no fault."""

from __future__ import annotations

import re
from collections.abc import Collection

from xentfuzz.subjects.outcome import Outcome, Raised

# Why each, by the names of classes (the exception's own and those that it is derived from):
REFUSALS = {
    "NotImplementedError": "Python's word for it, in every library",
    "TypeError": "a dtype or an argument that is not taken; NumPy's UFuncTypeError, jax and jaxtyping derive theirs from it",
    "ValueError": "a shape or a value that is not taken; NumPy's AxisError and the unpacking of a shape raise it",
    "AssertionError": "how kernels state what they were written for",
    "IndexError": "an axis that an array of this rank lacks: NumPy's and torch's words",
    "BufferError": "memory that can't be borrowed as it lies",
    "ArgumentError": "ctypes: an array of another dtype or layout than was declared",
    "TypingError": "numba: no kernel is compiled for these types",
    "UnsupportedError": "numba, onnx: the same",
    "LoweringError": "numba: the same, found later",
    "CompilationError": "triton: a static assertion, or types that do not go together",
    "InvalidArgument": "onnxruntime: an input of another type or rank than the graph's",
    "NotImplemented": "onnxruntime: no kernel for these types",
    "InvalidGraph": "onnxruntime: types that the graph does not allow",
    "InvalidArgumentError": "tensorflow: the same",
    "UnimplementedError": "tensorflow: no kernel for these types",
}
# jax raises this for whatever XLA reports; the first word is the status.
XLA_ERRORS, XLA_REFUSALS = {"XlaRuntimeError", "JaxRuntimeError"}, ("UNIMPLEMENTED", "INVALID_ARGUMENT")

# torch refuses by RuntimeError (TORCH_CHECK), and so does C++ behind pybind11 where its author threw nothing more exact. These words tell
# of a machine or a library in trouble all the same.
TROUBLE = re.compile(
    r"launch|cuda error|triton error|hip error|cudnn|cublas|cusparse|nvrtc|driver|illegal|internal|out of resources|out of memory|"
    r"device-side|corrupt|overflow|timed? ?out|unspecified|misaligned|fault|crash|unknown error",
    re.IGNORECASE,
)
# Without torch's habit, the text has to speak of what is taken.
REFUSING = re.compile(
    r"support|implement|expect|must|should|only|requir|allow|accept|match|compatib|invalid (d?type|shape|rank|dim|axis|argument|input)|"
    r"wrong (d?type|shape|rank|number)|want|can't|cannot|need",
    re.IGNORECASE,
)


def is_deliberate(outcome: Outcome, array: str, refused: Collection[str] = ()) -> bool:
    """Whether an outcome can be the refusal of a feature. array: the library; refused: names of what is tried, such as "float16"."""
    if outcome.unsupported is not None:
        return True
    return outcome.raised is not None and _refuses(outcome.raised, array, refused)


def _refuses(raised: Raised, array: str, refused: Collection[str]) -> bool:
    kinds = set(raised.types)
    # A RecursionError is a RuntimeError, too, and is nobody's intention.
    if kinds & REFUSALS.keys():
        return True
    if kinds & XLA_ERRORS:
        return raised.message.startswith(XLA_REFUSALS)
    if raised.types[0] == "RuntimeError":
        return TROUBLE.search(raised.message) is None and (array == "torch" or REFUSING.search(raised.message) is not None)
    # A table of kernels by dtype or option, asked for what it does not hold.
    return raised.types[0] == "KeyError" and any(name in raised.message for name in refused)
