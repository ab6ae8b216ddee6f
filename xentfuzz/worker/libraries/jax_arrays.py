"""jax arrays: copies without strides, on the device asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Invoke, Number, Unsupported, no_conversion, require_shape
from xentfuzz.worker.libraries.numpy_arrays import collected, host_view


class JaxArrays(ArrayLibrary):
    """device: a platform's name as jax spells it ("cpu", "gpu", "cuda", "tpu"), with ":index" where there are several."""

    def __init__(self, device: str) -> None:
        platform, _, index = device.partition(":")
        self.device = jax.devices(platform)[int(index or 0)]

    def load(self, array: StridedArray) -> Any:
        view = host_view(array)
        if not (view.flags.c_contiguous and view.flags.aligned and view.flags.writeable):
            raise Unsupported("jax arrays have no strides, no offset and no read-only flag")
        loaded = jax.device_put(view.copy(), self.device)
        # Class indices lose nothing in the int32 that jax makes of them; a logit does.
        if loaded.dtype != view.dtype and view.dtype.kind not in "iu":
            raise Unsupported(f"jax holds {view.dtype} only with JAX_ENABLE_X64=1 in its environment")
        return loaded

    def read(self, result: Any) -> Collected | Number:
        if isinstance(result, bool | int | float):
            return result
        if not isinstance(result, jax.Array | np.ndarray | np.generic):
            raise no_conversion(result, "a jax.Array")
        return collected(np.asarray(result))

    def gradients(self, invoke: Invoke, arrays: Mapping[str, Any], wanted: Sequence[str], upstream: Any) -> dict[str, Any]:
        def function(*values: Any) -> Any:
            result = invoke({**arrays, **dict(zip(wanted, values, strict=True))})
            if not isinstance(result, jax.Array):
                raise no_conversion(result, "a jax.Array")
            require_shape(result.shape, upstream.shape)
            return result

        _, pull_back = jax.vjp(function, *(arrays[name] for name in wanted))
        return dict(zip(wanted, pull_back(upstream), strict=True))

    def second_gradients(self, invoke: Invoke, arrays: Mapping[str, Any], first: str, upstream: Any, vector: Any) -> tuple[Any, Any]:
        def gradient(given: Any, seed: Any) -> Any:
            _, pull_back = jax.vjp(lambda values: invoke({**arrays, first: values}), given)
            (found,) = pull_back(seed)
            return found

        _, pull_back = jax.vjp(gradient, arrays[first], upstream)
        by_first, by_upstream = pull_back(vector)
        return by_first, by_upstream

    def tangent(self, invoke: Invoke, arrays: Mapping[str, Any], first: str, vector: Any) -> Any:
        _, tangent = jax.jvp(lambda given: invoke({**arrays, first: given}), (arrays[first],), (vector,))
        return tangent

    def vectorised(self, invoke: Invoke, arrays: Mapping[str, Any], stacks: Mapping[str, Sequence[Any]]) -> Any:
        def function(*given: Any) -> Any:
            return invoke({**arrays, **dict(zip(stacks, given, strict=True))})

        return jax.vmap(function)(*(jnp.stack(list(each)) for each in stacks.values()))

    def finish(self, results: Sequence[Any]) -> None:
        jax.block_until_ready(results)
