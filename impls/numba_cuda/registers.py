"""What a thread of a GPU does with a part of a row that it holds in registers, in the words of 32 bits in which it was loaded.

Numbers of 16 bits are unpacked each time that they are used, by instructions that the compiler must not join: unpacked once for all uses,
they would take twice as many registers. Part of `gpu.py`'s side of the seam.
"""

# ruff: noqa: D402, PLR0917 - what a factory makes is described by its signature; arguments of device functions are passed by position

# mypy: disable-error-code="untyped-decorator, attr-defined, misc, no-untyped-call, import-untyped, assignment"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.cuda import types
from numba.cuda.extending import intrinsic

from xentfuzz.impls.numba_cuda.formats import Format
from xentfuzz.impls.numba_cuda.gpu import LONG, SINGLE, assembled, packed, predicated_load, predicated_store, unpacked

WORDS = 4  # of a vector
_SUMS = 4
_MAXIMUM = {
    "float16": "max.f16x2 $0, $1, $2;",
    "bfloat16": "max.bf16x2 $0, $1, $2;",
    "float32": "max.f32 $0, $1, $2;",
}


def _exponential(floating: Format, builder: Any, x: Any, maximum: Any) -> Any:
    distance = builder.fmul(builder.fsub(x, maximum), ir.Constant(SINGLE, float(floating.log2_e)))
    return assembled(builder, SINGLE, "ex2.approx.ftz.f32 $0, $1;", "=f,f", [distance])


def load_held(floating: Format, vectors: int, *, cache_hint: str) -> Any:
    """load_held(address, step, remaining): as `gpu.block_load`, the words."""
    load = predicated_load(floating, cache_hint)

    @intrinsic
    def load_held(typing_context: Any, address: Any, step: Any, remaining: Any) -> Any:
        del typing_context, address, step, remaining

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            start, step, remaining = operands
            words: list[Any] = []
            for vector in range(vectors):
                words += load(builder, start, builder.mul(step, ir.Constant(LONG, vector)), remaining)
            return context.make_tuple(builder, signature.return_type, words)

        return types.UniTuple(types.int32, vectors * WORDS)(types.int64, types.int64, types.int64), code

    return load_held


def held_maximum(floating: Format, vectors: int) -> Any:
    """held_maximum(words): the largest number, NaN aside."""
    letter = "f" if floating.size == 4 else "r"

    @intrinsic
    def held_maximum(typing_context: Any, words: Any) -> Any:
        del typing_context, words

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            del context, signature
            words = [builder.extract_value(operands[0], index) for index in range(vectors * WORDS)]
            if floating.size == 4:
                words = [builder.bitcast(word, SINGLE) for word in words]
            while len(words) > 1:
                pairs = zip(words[::2], words[1::2], strict=False)
                rest = words[-1:] if len(words) % 2 else []
                words = [
                    assembled(builder, word.type, _MAXIMUM[floating.name], f"={letter},{letter},{letter}", [word, other])
                    for word, other in pairs
                ] + rest
            if floating.size == 4:
                return words[0]
            low, high = unpacked(floating, builder, words[0])
            return assembled(builder, SINGLE, _MAXIMUM["float32"], "=f,f,f", [low, high])

        return types.float32(types.UniTuple(types.int32, vectors * WORDS)), code

    return held_maximum


def held_total(floating: Format, vectors: int) -> Any:
    """held_total(words, maximum): the sum of exp(x - maximum)."""

    @intrinsic
    def held_total(typing_context: Any, words: Any, maximum: Any) -> Any:
        del typing_context, words, maximum

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            del context, signature
            words, maximum = operands
            sums = [ir.Constant(SINGLE, 0.0)] * _SUMS
            terms = 0
            for index in range(vectors * WORDS):
                for x in unpacked(floating, builder, builder.extract_value(words, index), again=True):
                    sums[terms % _SUMS] = builder.fadd(sums[terms % _SUMS], _exponential(floating, builder, x, maximum))
                    terms += 1
            return builder.fadd(builder.fadd(sums[0], sums[1]), builder.fadd(sums[2], sums[3]))

        return types.float32(types.UniTuple(types.int32, vectors * WORDS), types.float32), code

    return held_total


def store_held(floating: Format, vectors: int, *, cache_hint: str) -> Any:
    """store_held(address, step, remaining, words, maximum, scale): write exp(x - maximum) * scale."""
    store = predicated_store(floating, cache_hint)

    @intrinsic
    def store_held(typing_context: Any, address: Any, step: Any, remaining: Any, words: Any, maximum: Any, scale: Any) -> Any:
        del typing_context, address, step, remaining, words, maximum, scale

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            del signature
            start, step, remaining, words, maximum, scale = operands
            for vector in range(vectors):
                shares = [
                    builder.fmul(_exponential(floating, builder, x, maximum), scale)
                    for index in range(vector * WORDS, (vector + 1) * WORDS)
                    for x in unpacked(floating, builder, builder.extract_value(words, index), again=True)
                ]
                store(builder, start, builder.mul(step, ir.Constant(LONG, vector)), remaining, packed(floating, builder, shares))
            return context.get_dummy_value()

        block = types.UniTuple(types.int32, vectors * WORDS)
        return types.void(types.int64, types.int64, types.int64, block, types.float32, types.float32), code

    return store_held


def instructions(floating: Format, vectors: int, load_hint: str, store_hint: str) -> dict[str, Callable[..., Any]]:
    """All of them by name, for `gpu.machine`."""
    return {
        "load_held": load_held(floating, vectors, cache_hint=load_hint),
        "held_maximum": held_maximum(floating, vectors),
        "held_total": held_total(floating, vectors),
        "store_held": store_held(floating, vectors, cache_hint=store_hint),
    }
