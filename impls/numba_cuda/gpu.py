"""What the kernels ask of a GPU, instruction by instruction: the side of the seam that is compiled (`simulator.py` is the other).

Memory is addressed in bytes by 64-bit integers. Loads that go through the read-only path (ld.global.nc) are of what no running kernel
writes. A block is a tuple of numbers that a thread holds in registers: several vectors of 16 bytes, a `step` apart.
"""

# mypy: disable-error-code="untyped-decorator, attr-defined, misc, no-untyped-call, import-untyped, assignment"

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cuda
from numba.cuda import types
from numba.cuda.extending import intrinsic

from xentfuzz.impls.numba_cuda.formats import VECTOR, Format

WARP = 32
WORD, LONG, SINGLE, DOUBLE = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()
LLVM_TYPES = {types.int32: WORD, types.int64: LONG, types.float32: SINGLE, types.float64: DOUBLE, types.void: ir.VoidType()}

# Text that loads, converts and stores one element of a format: $0 is the number, $1 the address, or the reverse in a store.
_LOADS = {
    "float16": "{.reg .b16 h; ld.global.nc.b16 h, [$1]; cvt.f32.f16 $0, h;}",
    "bfloat16": "{.reg .b16 h, z; ld.global.nc.b16 h, [$1]; mov.b16 z, 0; mov.b32 $0, {z, h};}",
    "float32": "ld.global.nc.f32 $0, [$1];",
    "float64": "ld.global.nc.f64 $0, [$1];",
}
_STORES = {
    "float16": "{.reg .b16 h; cvt.rn.f16.f32 h, $1; st.global.b16 [$0], h;}",
    "bfloat16": "{.reg .b16 h; cvt.rn.bf16.f32 h, $1; st.global.b16 [$0], h;}",
    "float32": "st.global.f32 [$0], $1;",
    "float64": "st.global.f64 [$0], $1;",
}
# Two 16-bit numbers of a word, and back.
_UNPACK = {
    "float16": "{.reg .b16 l, h; mov.b32 {l, h}, $2; cvt.f32.f16 $0, l; cvt.f32.f16 $1, h;}",
    "bfloat16": "{.reg .b32 l, h; shl.b32 l, $2, 16; and.b32 h, $2, 0xffff0000; mov.b32 $0, l; mov.b32 $1, h;}",
}
_PACK = {"float16": "cvt.rn.f16x2.f32 $0, $2, $1;", "bfloat16": "cvt.rn.bf16x2.f32 $0, $2, $1;"}
# A word of numbers that count for nothing in a softmax: -inf.
_NOTHING = {"float16": 0xFC00FC00, "bfloat16": 0xFF80FF80, "float32": 0xFF800000}


def assembled(builder: Any, result: Any, text: str, constraints: str, operands: list[Any], *, side_effect: bool = False) -> Any:
    function = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(ir.InlineAsm(function, text, constraints, side_effect), operands)


def assembly(text: str, constraints: str, result: Any, arguments: tuple[Any, ...], *, side_effect: bool = False) -> Any:
    """A device function of one line of PTX."""

    def instruction(typing_context: Any, *given: Any) -> Any:
        del typing_context, given

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            del signature
            found = assembled(builder, LLVM_TYPES[result], text, constraints, list(operands), side_effect=side_effect)
            return context.get_dummy_value() if result == types.void else found

        return result(*arguments), code

    names = [f"x{index}" for index in range(len(arguments))]
    # Numba reads the number of arguments off the function's signature.
    fixed: Callable[..., Any] = {
        1: lambda typing_context, x0: instruction(typing_context, x0),  # noqa: PLW0108
        2: lambda typing_context, x0, x1: instruction(typing_context, x0, x1),  # noqa: PLW0108
    }[len(names)]
    return intrinsic(fixed)


def unpacked(floating: Format, builder: Any, word: Any, *, again: bool = False) -> list[Any]:
    """The numbers in a word. again: by instructions of their own, wherever the word has been unpacked already."""
    if floating.size == 2:
        pair = assembled(builder, ir.LiteralStructType([SINGLE, SINGLE]), _UNPACK[floating.name], "=f,=f,r", [word], side_effect=again)
        return [builder.extract_value(pair, half) for half in range(2)]
    return [builder.bitcast(word, SINGLE) if floating.size == 4 else word]


def packed(floating: Format, builder: Any, numbers: list[Any]) -> list[Any]:
    if floating.size == 2:
        return [
            assembled(builder, WORD, _PACK[floating.name], "=r,f,f", list(pair)) for pair in zip(numbers[::2], numbers[1::2], strict=True)
        ]
    return [builder.bitcast(number, WORD) if floating.size == 4 else number for number in numbers]


def _real_type(floating: Format) -> Any:
    return types.float64 if floating.real is np.float64 else types.float32


def predicated_load(floating: Format, cache_hint: str) -> Callable[..., list[Any]]:
    """load(builder, start, offset, remaining): the words of a vector `offset` bytes on, -inf from `remaining` bytes on."""
    double = floating.size == 8
    words, letter, element = (2, "d", DOUBLE) if double else (4, "r", WORD)
    kind = "v2.f64" if double else "v4.b32"
    registers = ", ".join(f"${word}" for word in range(words))
    text = f"{{.reg .pred p; setp.ne.b32 p, ${words + 1}, 0; @p ld.global.nc{cache_hint}.{kind} {{{registers}}}, [${words}];}}"
    tied = ",".join(str(word) for word in range(words))
    constraints = f"{','.join([f'={letter}'] * words)},l,r,{tied}"
    nothing = ir.Constant(DOUBLE, float("-inf")) if double else ir.Constant(WORD, _NOTHING[floating.name])

    def load(builder: Any, start: Any, offset: Any, remaining: Any) -> list[Any]:
        wanted = builder.zext(builder.icmp_signed("<", offset, remaining), WORD)
        given = [builder.add(start, offset), wanted, *[nothing] * words]
        loaded = assembled(builder, ir.LiteralStructType([element] * words), text, constraints, given)
        return [builder.extract_value(loaded, word) for word in range(words)]

    return load


def predicated_store(floating: Format, cache_hint: str) -> Callable[..., None]:
    """store(builder, start, offset, remaining, words): the reverse of `predicated_load`."""
    double = floating.size == 8
    count, letter = (2, "d") if double else (4, "r")
    registers = ", ".join(f"${word + 2}" for word in range(count))
    kind = "v2.f64" if double else "v4.b32"
    text = f"{{.reg .pred p; setp.ne.b32 p, $1, 0; @p st.global{cache_hint}.{kind} [$0], {{{registers}}};}}"
    constraints = f"l,r,{','.join([letter] * count)},~{{memory}}"

    def store(builder: Any, start: Any, offset: Any, remaining: Any, words: list[Any]) -> None:
        wanted = builder.zext(builder.icmp_signed("<", offset, remaining), WORD)
        assembled(builder, ir.VoidType(), text, constraints, [builder.add(start, offset), wanted, *words], side_effect=True)

    return store


def block_load(floating: Format, vectors: int, *, cache_hint: str) -> Any:
    """load_block(address, step, remaining): `vectors` vectors, `step` bytes apart; from `remaining` bytes on, -inf."""
    real, load = _real_type(floating), predicated_load(floating, cache_hint)

    @intrinsic
    def load_block(typing_context: Any, address: Any, step: Any, remaining: Any) -> Any:
        del typing_context, address, step, remaining

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            start, step, remaining = operands
            numbers = []
            for vector in range(vectors):
                for word in load(builder, start, builder.mul(step, ir.Constant(LONG, vector)), remaining):
                    numbers += unpacked(floating, builder, word)
            return context.make_tuple(builder, signature.return_type, numbers)

        return types.UniTuple(real, vectors * floating.per_vector)(types.int64, types.int64, types.int64), code

    return load_block


def block_store(floating: Format, vectors: int, *, cache_hint: str) -> Any:
    """store_block(address, step, remaining, block): the reverse of `block_load`."""
    real, count, store = _real_type(floating), floating.per_vector, predicated_store(floating, cache_hint)

    @intrinsic
    def store_block(typing_context: Any, address: Any, step: Any, remaining: Any, block: Any) -> Any:
        del typing_context, address, step, remaining, block

        def code(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
            del signature
            start, step, remaining, block = operands
            for vector in range(vectors):
                numbers = [builder.extract_value(block, vector * count + place) for place in range(count)]
                store(builder, start, builder.mul(step, ir.Constant(LONG, vector)), remaining, packed(floating, builder, numbers))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64, types.UniTuple(real, vectors * count)), code

    return store_block


_INTEGERS = {
    size: assembly(f"ld.global.nc.{kind} $0, [$1];", "=l,l", types.int64, (types.int64,))
    for size, kind in {1: "u8", 2: "u16", 4: "u32", 8: "b64", -1: "s8", -2: "s16", -4: "s32", -8: "b64"}.items()
}
_u8, _u16, _u32, _u64, _s8, _s16, _s32 = (_INTEGERS[size] for size in (1, 2, 4, 8, -1, -2, -4))


# Of numbers below 2^32: a division of 64 bits is a call, around which registers spill.
_divided = assembly(
    "{.reg .u32 a, b; cvt.u32.u64 a, $1; cvt.u32.u64 b, $2; div.u32 a, a, b; cvt.u64.u32 $0, a;}",
    "=l,l,l",
    types.int64,
    (types.int64, types.int64),
)


@cuda.jit(device=True)
def load_index(address: Any, kind: Any) -> Any:  # noqa: PLR0911 - one for each kind
    """A class index of one of `INDEX_KINDS`. From 2^63 on it turns negative."""
    if kind == -8 or kind == 8:  # noqa: PLR1714 - Numba compares with a number
        return _u64(address)
    if kind == -4:
        return _s32(address)
    if kind == 4:
        return _u32(address)
    if kind == 2:
        return _u16(address)
    if kind == -2:
        return _s16(address)
    if kind == 1:
        return _u8(address)
    return _s8(address)


@cuda.jit(device=True)
def thread() -> Any:
    return np.int64(cuda.threadIdx.x)


@cuda.jit(device=True)
def block() -> Any:
    return np.int64(cuda.blockIdx.x)


@cuda.jit(device=True)
def blocks() -> Any:
    return np.int64(cuda.gridDim.x)


@cuda.jit(device=True)
def block_y() -> Any:
    return np.int64(cuda.blockIdx.y)


@cuda.jit(device=True)
def blocks_y() -> Any:
    return np.int64(cuda.gridDim.y)


@cuda.jit(device=True)
def barrier() -> None:
    cuda.syncthreads()


@cuda.jit(device=True)
def exchanged(value: Any, distance: Any) -> Any:
    """The value of the lane whose number differs in the bit `distance`; every lane of the warp takes part."""
    return cuda.shfl_xor_sync(0xFFFFFFFF, value, distance)


def _exponential(floating: Format) -> Any:
    if floating.real is np.float64:
        import math  # noqa: PLC0415 - a name of the compiled function

        @cuda.jit(device=True)
        def exponential(x: Any) -> Any:
            return math.exp(x)

        return exponential
    exp2 = assembly("ex2.approx.ftz.f32 $0, $1;", "=f,f", types.float32, (types.float32,))
    log2_e = floating.log2_e

    @cuda.jit(device=True)
    def scaled_exponential(x: Any) -> Any:
        return exp2(x * log2_e)

    return scaled_exponential


def _logarithm() -> Any:
    import math  # noqa: PLC0415 - a name of the compiled function

    @cuda.jit(device=True)
    def logarithm(x: Any) -> Any:
        return math.log(x)

    return logarithm


def unrolled(step: Callable[..., Any], count: int) -> Any:
    """fold(block, value, parameter): value = step(value, number, parameter) over the `count` numbers of a block.

    Written out, because Numba cannot be told to unroll: a loop over a tuple would put the tuple into local memory.
    """
    lines = "".join(f"    value = step(value, block[{index}], parameter)\n" for index in range(count))
    return _defined(f"def fold(block, value, parameter):\n{lines}    return value\n", "fold", step)


def mapped(step: Callable[..., Any], count: int) -> Any:
    """transform(block, first, second): the tuple of step(number, first, second)."""
    numbers = ", ".join(f"step(block[{index}], first, second)" for index in range(count))
    return _defined(f"def transform(block, first, second):\n    return ({numbers},)\n", "transform", step)


def _defined(source: str, name: str, step: Any) -> Any:
    names: dict[str, Any] = {"step": step}
    exec(source, names)  # noqa: S102 - the text is made of a number, above
    return cuda.jit(device=True)(names[name])


@cache
def machine(floating: Format, threads: int, vectors: int, load_hint: str = "", store_hint: str = "") -> SimpleNamespace:
    """Everything that kernels for a format use, with blocks of so many vectors. See `simulator.machine`, which has the same names."""
    real = _real_type(floating)
    letter = "d" if real is types.float64 else "f"
    kind = "f64" if real is types.float64 else "f32"
    from xentfuzz.impls.numba_cuda import registers  # noqa: PLC0415 - made of this module's pieces

    held = {} if real is types.float64 else registers.instructions(floating, vectors, load_hint, store_hint)
    return SimpleNamespace(
        jit=cuda.jit(device=True),
        **held,
        warp=WARP,
        unrolled=unrolled,
        mapped=mapped,
        thread=thread,
        block=block,
        blocks=blocks,
        block_y=block_y,
        blocks_y=blocks_y,
        divided=_divided,
        barrier=barrier,
        exchanged=exchanged,
        cuda=cuda,
        scratch_size=threads,
        element=real,
        load_index=load_index,
        load_int64=_u64,
        store_int64=assembly("st.global.b64 [$0], $1;", "l,l,~{memory}", types.void, (types.int64, types.int64), side_effect=True),
        load=assembly(_LOADS[floating.name], f"={letter},l", real, (types.int64,)),
        store=assembly(_STORES[floating.name], f"l,{letter},~{{memory}}", types.void, (types.int64, real), side_effect=True),
        load_real=assembly(f"ld.global.nc.{kind} $0, [$1];", f"={letter},l", real, (types.int64,)),
        store_real=assembly(f"st.global.{kind} [$0], $1;", f"l,{letter},~{{memory}}", types.void, (types.int64, real), side_effect=True),
        maximum=assembly(f"max.{kind} $0, $1, $2;", f"={letter},{letter},{letter}", real, (real, real)),
        exponential=_exponential(floating),
        logarithm=_logarithm(),
        load_block=block_load(floating, vectors, cache_hint=load_hint),
        store_block=block_store(floating, vectors, cache_hint=store_hint),
        vector=VECTOR,
        joined=assembly("mov.b64 $0, {$1, $2};", "=l,f,f", types.int64, (types.float32, types.float32)),
        first_of=assembly("{.reg .b32 h; mov.b64 {$0, h}, $1;}", "=f,l", types.float32, (types.int64,)),
        second_of=assembly("{.reg .b32 l; mov.b64 {l, $0}, $1;}", "=f,l", types.float32, (types.int64,)),
        publish=assembly("st.relaxed.gpu.global.b64 [$0], $1;", "l,l,~{memory}", types.void, (types.int64, types.int64), side_effect=True),
        poll=assembly("ld.relaxed.gpu.global.b64 $0, [$1];", "=l,l,~{memory}", types.int64, (types.int64,), side_effect=True),
    )
