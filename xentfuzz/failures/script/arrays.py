"""Statements that rebuild a case's arrays in the target's own library: the same bits, and the same layout where it isn't plain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.failures.layout import distinct, gap_byte, is_plain
from xentfuzz.failures.script.literals import Array, mostly_constant, nested, packed

# Beyond this many bytes an array goes into a file beside the script, where there may be one.
LARGEST_EMBEDDED = 2**18
# Beyond this many bytes it is left to its recipe.
LARGEST_WRITTEN = 2**26
TOO_LARGE = 'print("{name} of shape {shape} is too large for a script: `xentfuzz replay` makes it from the recipe") or sys.exit(2)'
# More elements than MANY with at most FEW exceptions from one value are shorter said than listed.
MANY, FEW = 12, 3


@dataclass(frozen=True)
class Dialect:
    """How a library spells new arrays; {…} are what their names say. numbered: strides and offset count elements, not bytes."""

    prefix: str
    new: str
    empty: str
    full: str
    from_bytes: str
    from_file: str

    def dtype(self, name: str) -> str:
        return f"{self.prefix}{name}" if self.prefix else ("ml_dtypes.bfloat16" if name == "bfloat16" else f'"{name}"')


NUMPY = Dialect(
    prefix="",
    new="np.array({values}, {dtype})",
    empty="np.empty({shape}, {dtype})",
    full="np.full({shape}, {value}, {dtype})",
    from_bytes="np.frombuffer(bytearray({content}), {dtype}).reshape({shape})",
    from_file='np.load(Path(__file__).with_name("{file}"))["{name}"].view({dtype})',
)
TORCH = Dialect(
    prefix="torch.",
    new="torch.tensor({values}, dtype={dtype})",
    empty="torch.empty({shape}, dtype={dtype})",
    full="torch.full({shape}, {value}, dtype={dtype})",
    from_bytes="torch.frombuffer(bytearray({content}), dtype={dtype}).reshape({shape})",
    from_file='torch.from_numpy(np.load(Path(__file__).with_name("{file}"))["{name}"]).view({dtype})',
)


def is_large(array: StridedArray) -> bool:
    """Whether an array is better kept in a file than written into a script."""
    values = array.view()
    return is_plain(array) and LARGEST_EMBEDDED < values.nbytes <= LARGEST_WRITTEN and mostly_constant(values) is None


def for_file(array: StridedArray) -> Array:
    """The values as NumPy stores them: bfloat16 as uint16."""
    values = array.view()
    return values.view(np.uint16) if array.dtype == "bfloat16" else values


@dataclass(frozen=True)
class Built:
    """An array as an expression, and what is then put at single places of it: "[1, 2] = 3.0"."""

    expression: str
    changes: tuple[str, ...] = ()

    def assigned(self, name: str) -> list[str]:
        return [f"{name} = {self.expression}", *(name + change for change in self.changes)]

    def used(self, statement: str) -> list[str]:
        """`statement`, in which {} is this array."""
        return [*self.assigned("values"), statement.format("values")] if self.changes else [statement.format(self.expression)]


def numpy_statements(name: str, array: StridedArray, file: str | None) -> list[str]:
    """name = ...: a NumPy array. file: the name of the .npz beside the script that holds the large arrays, if any."""
    if is_plain(array) or not array.view().size:
        return _built(NUMPY, name, array.view(), array.dtype, file).assigned(name)
    gap = gap_byte(array)
    view = f"np.ndarray({array.shape}, {NUMPY.dtype(array.dtype)}, storage, offset={array.offset}, strides={array.strides})"
    lines = [f"storage = {_storage(array, gap, array.storage.size)}", f"{name} = {view}"]
    lines += [] if gap is None else _built(NUMPY, name, array.view(), array.dtype, None).used(f"{name}[...] = {{}}")
    return [*lines, f"{name}.flags.writeable = False"] if not array.writeable else lines


def torch_statements(name: str, array: StridedArray, file: str | None, device: str) -> list[str]:
    """name = ...: a torch tensor on `device`."""
    move = "" if device == "cpu" else f'.to("{device}")'
    if is_plain(array) or not array.view().size:
        return _built(TORCH, name, array.view(), array.dtype, file).assigned(name) + ([f"{name} = {name}{move}"] if move else [])
    itemsize, gap, part = array.view().itemsize, gap_byte(array), distinct(array)
    # A tensor's offset counts elements: the storage begins where its own alignment is the array's.
    begin = array.offset % itemsize
    size = begin + (array.storage.size - begin) // itemsize * itemsize
    place = f"{tuple(stride // itemsize for stride in array.strides)}, {array.offset // itemsize}"
    shift = f", offset={begin}" if begin else ""
    lines = [f"storage = torch.frombuffer({_storage(array, gap, size)}, dtype={TORCH.dtype(array.dtype)}{shift})"]
    if gap is not None:
        lines += _built(TORCH, name, part.view(), array.dtype, None).used(f"storage.as_strided({part.shape}, {place}).copy_({{}})")
    return [*lines, f"{name} = storage{move}.as_strided({array.shape}, {place})"]


def _storage(array: StridedArray, gap: int | None, size: int) -> str:
    return f"bytearray({packed(array.storage[:size])})" if gap is None else f"bytearray({bytes([gap])!r} * {size})"


def _built(dialect: Dialect, name: str, values: Array, dtype: str, file: str | None) -> Built:
    words: dict[str, Any] = {"name": name, "shape": values.shape, "dtype": dialect.dtype(dtype), "file": file}
    if not values.size:
        return Built(dialect.empty.format(**words))
    literal, constant = nested(values), mostly_constant(values)
    if literal is not None and (constant is None or values.size <= MANY or len(constant.exceptions) > FEW):
        return Built(dialect.new.format(values=literal, **words))
    if constant is not None:
        changes = tuple(f"[{', '.join(map(str, index))}] = {value}" for index, value in constant.exceptions.items())
        return Built(dialect.full.format(value=constant.fill, **words), changes)
    if values.nbytes > LARGEST_WRITTEN:
        return Built(TOO_LARGE.format(**words))
    if file is not None and values.nbytes > LARGEST_EMBEDDED:
        return Built(dialect.from_file.format(**words))
    return Built(dialect.from_bytes.format(content=packed(values), **words))
