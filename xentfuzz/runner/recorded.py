"""Arrays recorded from a real model (`--input FILE.npz`), as cases like any other."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, dtype_name, numpy_dtype
from xentfuzz.errors import UsageError
from xentfuzz.operations.case import Case
from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.recipe import GRAD_OUTPUT

Array = np.ndarray[Any, Any]

IGNORED = -100
RANKS = (1, 2, 3, 4)


@dataclass(frozen=True, eq=False)
class Recorded:
    """logits: (C,), (N, C) or (N, C, d1, ...) in one of the four formats. target: int64 class indices of shape (), (N,) or (N, d1, ...), or
    probabilities of the logits' shape and dtype. weight: (C,) in the logits' dtype, or None.
    """

    name: str
    logits: Array
    target: Array
    weight: Array | None = None

    @property
    def dtype(self) -> str:
        return dtype_name(self.logits.dtype)

    @property
    def target_kind(self) -> str:
        return "index" if self.target.dtype.kind in "iu" else "probabilities"

    def case(self, operation: Operation, options: Mapping[str, Any]) -> Case:
        """These arrays as a case of an operation, what `options` leave out at its default, with an upstream gradient of the result's shape.

        Log-probabilities are computed from the logits and rounded.
        """
        given = {"logits": self.logits, "log_probs": self.logits, "target": self.target, "weight": self.weight}
        arrays: dict[str, Array] = {}
        for argument in operation.arguments:
            values = given.get(argument.kind)
            if values is not None:
                arrays[argument.name] = _log_softmax(values) if argument.kind == "log_probs" else values
        own = {"axis": _class_axis(self.logits)} if "axis" in operation.defaults else {}
        strided = {name: StridedArray.of(values) for name, values in arrays.items()}
        case = Case(operation.name, self.dtype, strided, {**operation.defaults, **own, **options})
        upstream = _upstream(operation.evaluate(case).shape("value"), self.logits.dtype)
        return replace(case, arrays={**strided, GRAD_OUTPUT: StridedArray.of(upstream)})


def _class_axis(logits: Array) -> int:
    return 0 if logits.ndim == 1 else 1


def _log_softmax(logits: Array) -> Array:
    axis = _class_axis(logits)
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=axis, keepdims=True)
    result: Array = (shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))).astype(logits.dtype)
    return result


def _upstream(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    # Not all the same, and exact in every format.
    pattern = np.array([1.0, -0.5, 0.25])
    return np.resize(pattern, shape).astype(dtype)


def packaged_recordings() -> list[Recorded]:
    """The recordings that come with xentfuzz: a small classifier of handwritten digits, early and late in its training."""
    folder = resources.files("xentfuzz") / "data"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".npz")) if folder.is_dir() else []
    found = []
    for name in names:
        with resources.as_file(folder / name) as path:
            found.append(load_recorded(path))
    return found


def load_recorded(path: str | Path) -> Recorded:
    """The recording in a .npz file with arrays `logits`, `target` and optionally `weight`; bfloat16 is stored as uint16 with a field
    NAME_dtype="bfloat16". Raises UsageError with the reason where the file cannot be read or its arrays do not fit together.
    """
    file = Path(path).name
    arrays = _read(Path(path))
    try:
        return _recorded(Path(path).stem, arrays)
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None


def _read(path: Path) -> dict[str, Array]:
    try:
        # Opened here, because np.load leaves a file that is no archive open.
        with path.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise UsageError(f"{path.name} holds one array, wanted a .npz file: write it with np.savez(file, logits=..., target=...)")
            return {name: np.asarray(loaded[name]) for name in loaded.files}
    except OSError as error:
        raise UsageError(f"cannot read {path.name}: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path.name} is no .npz file of plain arrays ({error}): write it with np.savez") from None


def _recorded(name: str, arrays: Mapping[str, Array]) -> Recorded:
    for required in ("logits", "target"):
        if required not in arrays:
            held = ", ".join(sorted(arrays)) or "none"
            raise ValueError(f"has no array {required!r} (it has {held}); logits and target are needed, weight is optional")
    logits = _floating("logits", arrays)
    if logits.ndim not in RANKS:
        raise ValueError(f"logits have shape {logits.shape}, wanted (C,), (N, C), (N, C, d1) or (N, C, d1, d2)")
    weight = _floating("weight", arrays) if "weight" in arrays else None
    classes = logits.shape[_class_axis(logits)]
    if weight is not None and weight.shape != (classes,):
        raise ValueError(f"weight has shape {weight.shape}, wanted ({classes},): one for each class of logits {logits.shape}")
    target = _target(logits, arrays, classes)
    for other, values in (("target", target), ("weight", weight)):
        if values is not None and values.dtype.kind not in "iu" and values.dtype != logits.dtype:
            raise ValueError(f"{other} is {dtype_name(values.dtype)}, logits are {dtype_name(logits.dtype)}: save both in one dtype")
    return Recorded(name, logits, target, weight)


def _floating(name: str, arrays: Mapping[str, Array]) -> Array:
    values = arrays[name]
    stated = str(arrays[f"{name}_dtype"]) if f"{name}_dtype" in arrays else None
    if stated == "bfloat16" and values.dtype == np.uint16:
        return values.view(numpy_dtype("bfloat16"))
    if stated is not None and stated != values.dtype.name:
        raise ValueError(f"{name}_dtype says {stated!r} but {name} is {values.dtype}; only bfloat16 needs it, stored as uint16")
    if values.dtype.name not in FLOAT_NAMES:
        raise ValueError(f"{name} is {values.dtype}, wanted {', '.join(FLOAT_NAMES)} (bfloat16 as uint16 with {name}_dtype='bfloat16')")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _target(logits: Array, arrays: Mapping[str, Array], classes: int) -> Array:
    target = arrays["target"]
    if target.shape == logits.shape and (target.dtype.kind == "f" or "target_dtype" in arrays):
        return _floating("target", arrays)
    axis = _class_axis(logits)
    wanted = logits.shape[:axis] + logits.shape[axis + 1 :]
    if target.dtype.kind not in "iu" or target.shape != wanted:
        raise ValueError(
            f"target is {target.dtype} of shape {target.shape}; with logits {logits.shape} wanted class indices of shape {wanted}"
            f" or probabilities of shape {logits.shape}"
        )
    outside = target[((target < 0) | (target >= classes)) & (target != IGNORED)]
    if outside.size:
        raise ValueError(f"target holds {outside.flat[0]}, wanted a class in 0..{classes - 1} or {IGNORED} (ignored)")
    return target.astype(np.int64)
