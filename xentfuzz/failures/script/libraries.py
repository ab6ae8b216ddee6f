"""What differs between scripts for NumPy, torch, jax and CUDA arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import UsageError
from xentfuzz.failures.layout import is_plain
from xentfuzz.failures.script.arrays import numpy_statements, torch_statements
from xentfuzz.failures.source import Source


class Library(Protocol):
    """Every method gives Python source."""

    @property
    def versions(self) -> str:
        """The inside of an f-string that names library and device."""

    def array(self, name: str, array: StridedArray, file: str | None) -> list[str]:
        """Statements that make the variable `name`."""

    def gradients(self, call: str, value: str, names: Sequence[str], upstream: str) -> list[str]:
        """Statements that make `value` and grad_NAME for each name, by the library's autodiff of the expression `call`."""

    def collected(self, name: str) -> list[str]:
        """Statements that bring a result to where Python's float() and NumPy can read it."""

    def numbers(self, name: str) -> str:
        """A collected result as a NumPy array of float64."""

    def bits(self, name: str) -> str:
        """The bytes of a collected result, or of an argument."""

    def storage(self, name: str) -> str:
        """The bytes of everything that an argument with a layout of its own lies in."""

    def copied(self, name: str) -> str:
        """A copy of an argument."""

    def put_back(self, name: str, values: str) -> str:
        """A statement that makes an argument hold `values` again."""

    def share_memory(self, first: str, second: str) -> str:
        """Whether a result and an argument share memory."""

    def fill_own_blocks(self) -> list[str]:
        """Lines of a function of `byte` that fill the small blocks which the library keeps beside malloc."""


@dataclass(frozen=True)
class NumpyLibrary:
    versions: str = "numpy {np.__version__}"

    def array(self, name: str, array: StridedArray, file: str | None) -> list[str]:
        return numpy_statements(name, array, file)

    def gradients(self, call: str, value: str, names: Sequence[str], upstream: str) -> list[str]:
        raise UsageError(f"NumPy has no autodiff, and the implementation no backward: {call}, {value}, {names}, {upstream}")

    def collected(self, name: str) -> list[str]:
        del name
        return []

    def numbers(self, name: str) -> str:
        return f'np.asarray({name}).astype("float64")'

    def bits(self, name: str) -> str:
        return f"np.asarray({name}).tobytes()"

    def storage(self, name: str) -> str:
        return f"bytes({name}.base)"

    def copied(self, name: str) -> str:
        return f"{name}.copy()"

    def put_back(self, name: str, values: str) -> str:
        return f"{name}[...] = {values}"

    def share_memory(self, first: str, second: str) -> str:
        return f"np.may_share_memory({first}, {second})"

    def fill_own_blocks(self) -> list[str]:
        return [
            '    small = [np.full(size, byte, "uint8") for size in range(1, 1024) for _ in range(7)]',
            "    del small",
        ]


@dataclass(frozen=True)
class TorchLibrary:
    device: str

    @property
    def versions(self) -> str:
        return "torch {torch.__version__} on " + (self.device if self.device == "cpu" else "{torch.cuda.get_device_name()}")

    def array(self, name: str, array: StridedArray, file: str | None) -> list[str]:
        return torch_statements(name, array, file, self.device)

    def gradients(self, call: str, value: str, names: Sequence[str], upstream: str) -> list[str]:
        made, of = ", ".join(f"grad_{name}" for name in names), ", ".join(names)
        made = f"({made},)" if len(names) == 1 else made
        return [
            *(f"{name}.requires_grad_()" for name in names),
            f"{value} = {call}",
            f"{made} = torch.autograd.grad({value}, [{of}], {upstream}{', allow_unused=True' if len(names) > 1 else ''})",
        ]

    def collected(self, name: str) -> list[str]:
        del name
        return []

    def numbers(self, name: str) -> str:
        return f"{name}.detach().double().cpu().numpy()"

    def bits(self, name: str) -> str:
        return f"{name}.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()"

    def storage(self, name: str) -> str:
        return f"bytes({name}.untyped_storage().cpu())"

    def copied(self, name: str) -> str:
        return f"{name}.detach().clone()"

    def put_back(self, name: str, values: str) -> str:
        return f"{name}.detach().copy_({values})"

    def share_memory(self, first: str, second: str) -> str:
        return f"{first}.untyped_storage().data_ptr() == {second}.untyped_storage().data_ptr()"

    def fill_own_blocks(self) -> list[str]:
        return []


@dataclass(frozen=True)
class JaxLibrary(NumpyLibrary):
    versions: str = "jax {jax.__version__} on {jax.devices()[0].device_kind}"

    def array(self, name: str, array: StridedArray, file: str | None) -> list[str]:
        return [*numpy_statements(name, array, file), f"{name} = jnp.asarray({name})"]

    def gradients(self, call: str, value: str, names: Sequence[str], upstream: str) -> list[str]:
        arguments = ", ".join(names)
        made = ", ".join(f"grad_{name}" for name in names) + ("," if len(names) == 1 else "")
        return [f"{value}, pull_back = jax.vjp(lambda {arguments}: {call}, {arguments})", f"{made} = pull_back({upstream})"]


@dataclass(frozen=True)
class CudaLibrary(NumpyLibrary):
    """bfloat16 travels as uint16. Numba fills device memory from contiguous arrays only: layouts are not rebuilt."""

    versions: str = "numba {numba.__version__} on {'the simulator' if numba.config.ENABLE_CUDASIM else cuda.get_current_device().name}"
    bfloat16: bool = False

    def array(self, name: str, array: StridedArray, file: str | None) -> list[str]:
        host = f'{name}.view("uint16")' if array.dtype == "bfloat16" else name
        host = host if is_plain(array) else f"np.ascontiguousarray({host})"
        return [*numpy_statements(name, array, file), f"{name} = cuda.to_device({host})"]

    def collected(self, name: str) -> list[str]:
        lines = [f'{name} = getattr({name}, "copy_to_host", lambda: {name})()']
        return [*lines, f'{name} = {name}.view(ml_dtypes.bfloat16) if {name}.dtype == "uint16" else {name}'] if self.bfloat16 else lines


def library_of(source: Source, dtype: str) -> Library:
    """The library of an implementation's `array`, for cases of `dtype`."""
    if source.array == "torch":
        return TorchLibrary(source.device)
    if source.array == "cuda":
        return CudaLibrary(bfloat16=dtype == "bfloat16")
    return JaxLibrary() if source.array == "jax" else NumpyLibrary()
