"""Array libraries: how a strided array becomes one of theirs, with its layout, and how a result comes back."""

from __future__ import annotations

from xentfuzz.worker.libraries.library import ArrayLibrary


def library_named(name: str, device: str) -> ArrayLibrary:
    """The library of an implementation's `array`, imported now. Raises ImportError where it is not installed."""
    if name == "torch":
        from xentfuzz.worker.libraries.torch_tensors import TorchTensors  # noqa: PLC0415 - only where it is asked for

        return TorchTensors(device)
    if name == "jax":
        from xentfuzz.worker.libraries.jax_arrays import JaxArrays  # noqa: PLC0415 - as above

        return JaxArrays(device)
    if name == "cuda":
        from xentfuzz.worker.libraries.cuda_arrays import CudaArrays  # noqa: PLC0415 - as above

        return CudaArrays()
    from xentfuzz.worker.libraries.numpy_arrays import NumpyArrays  # noqa: PLC0415 - as above

    return NumpyArrays()
