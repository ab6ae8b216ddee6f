"""Vectors and numbers in memory, by address: float32, float64, float16 and bfloat16, read and written as such.

A storage is a NumPy dtype: float32, float64, uint16 for the bits of float16, int16 for those of bfloat16. 16-bit numbers become float32 in
the register: exact, and rounded to nearest even on the way back. What is read or written is never more than `count` elements.
"""

# ruff: noqa: ARG001 - arguments of an intrinsic are used by position, in the code that it generates

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from xentfuzz.impls.numba_cpu.compiling import intrinsic
from xentfuzz.impls.numba_cpu.vectors import FLOAT32, FLOAT64, LANES, Vector, constant_lanes, llvm_integers, llvm_type, permuted, splatted

_FLOAT16, _BFLOAT16 = types.uint16, types.int16


def _vector(storage: Any) -> Vector:
    return FLOAT64 if storage.dtype == types.float64 else FLOAT32


def _pointer(builder: Any, address: Any, pointee: Any) -> Any:
    return builder.inttoptr(address, pointee.as_pointer())


def _read(builder: Any, address: Any, what: Any) -> Any:
    instruction = builder.load(_pointer(builder, address, what))
    instruction.align = 1
    return instruction


def _first_lanes(builder: Any, count: Any) -> Any:
    """A mask of the first `count` lanes."""
    numbers = ir.Constant(llvm_integers(64), list(range(LANES)))
    return builder.icmp_signed("<", numbers, splatted(builder, count))


def _masked(builder: Any, operation: str, result: Any, *operands: Any) -> Any:
    """LLVM's masked load or store of integers, which touches only the lanes that the mask names."""
    vector = result if operation == "load" else operands[0].type
    function_type = ir.FunctionType(result, [each.type for each in operands])
    insert: Any = cgutils.get_or_insert_function
    function = insert(builder.module, function_type, f"llvm.masked.{operation}.v{LANES}{vector.element}.p0")
    return builder.call(function, operands)


_ALIGNMENT = ir.Constant(ir.IntType(32), 1)


def _half_to_single(builder: Any, bits: Any) -> Any:
    """float16 to float32, as integers: exponent and fraction moved, the bias mended by an exact product, which normalises subnormals."""
    wide = builder.zext(bits, llvm_integers(32))
    magnitude = builder.and_(wide, constant_lanes(32, 0x7FFF))
    scaled = builder.fmul(
        builder.bitcast(builder.shl(magnitude, constant_lanes(32, 13)), llvm_type(FLOAT32)),
        ir.Constant(llvm_type(FLOAT32), [2.0**112] * LANES),
    )
    special = builder.icmp_unsigned(">=", magnitude, constant_lanes(32, 0x7C00))
    exponent = builder.select(special, constant_lanes(32, 0x7F800000), constant_lanes(32, 0))
    sign = builder.shl(builder.and_(wide, constant_lanes(32, 0x8000)), constant_lanes(32, 16))
    return builder.bitcast(builder.or_(builder.or_(builder.bitcast(scaled, llvm_integers(32)), exponent), sign), llvm_type(FLOAT32))


def _from_bits(builder: Any, bits: Any, storage: Any) -> Any:
    if storage.dtype == _BFLOAT16:
        return builder.bitcast(builder.shl(builder.zext(bits, llvm_integers(32)), constant_lanes(32, 16)), llvm_type(FLOAT32))
    if storage.dtype == _FLOAT16:
        return _half_to_single(builder, bits)
    return builder.bitcast(bits, llvm_type(_vector(storage)))


def _single_to_bfloat(builder: Any, bits: Any) -> Any:
    odd = builder.and_(builder.lshr(bits, constant_lanes(32, 16)), constant_lanes(32, 1))
    rounded = builder.add(builder.add(bits, constant_lanes(32, 0x7FFF)), odd)
    quiet = builder.or_(bits, constant_lanes(32, 0x400000))
    is_nan = builder.icmp_unsigned(">", builder.and_(bits, constant_lanes(32, 0x7FFFFFFF)), constant_lanes(32, 0x7F800000))
    return builder.lshr(builder.select(is_nan, quiet, rounded), constant_lanes(32, 16))


def _single_to_half(builder: Any, bits: Any) -> Any:
    """Below 2^-14 adding 0.5 rounds to a multiple of 2^-24, which the lowest bits of the sum then count."""
    magnitude = builder.and_(bits, constant_lanes(32, 0x7FFFFFFF))
    moved = builder.fadd(builder.bitcast(magnitude, llvm_type(FLOAT32)), ir.Constant(llvm_type(FLOAT32), [0.5] * LANES))
    subnormal = builder.sub(builder.bitcast(moved, llvm_integers(32)), constant_lanes(32, 0x3F000000))
    odd = builder.and_(builder.lshr(magnitude, constant_lanes(32, 13)), constant_lanes(32, 1))
    biased = builder.add(builder.add(magnitude, constant_lanes(32, 0xFFF - (112 << 23))), odd)
    normal = builder.lshr(biased, constant_lanes(32, 13))
    is_nan = builder.icmp_unsigned(">", magnitude, constant_lanes(32, 0x7F800000))
    special = builder.select(is_nan, constant_lanes(32, 0x7E00), constant_lanes(32, 0x7C00))
    finite = builder.select(builder.icmp_unsigned("<", magnitude, constant_lanes(32, 0x38800000)), subnormal, normal)
    result = builder.select(builder.icmp_unsigned("<", magnitude, constant_lanes(32, 0x477FF000)), finite, special)
    return builder.or_(result, builder.and_(builder.lshr(bits, constant_lanes(32, 16)), constant_lanes(32, 0x8000)))


def _to_bits(builder: Any, value: Any, storage: Any) -> Any:
    if storage.dtype not in (_FLOAT16, _BFLOAT16):
        return builder.bitcast(value, llvm_integers(storage.dtype.bitwidth))
    bits = builder.bitcast(value, llvm_integers(32))
    narrow = _single_to_bfloat if storage.dtype == _BFLOAT16 else _single_to_half
    return builder.trunc(narrow(builder, bits), llvm_integers(16))


@intrinsic  # type: ignore[untyped-decorator]
def load(_: Any, storage: Any, address: Any) -> Any:
    """LANES numbers as a vector."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _from_bits(builder, _read(builder, args[1], llvm_integers(storage.dtype.bitwidth)), storage)

    return _vector(storage)(storage, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_some(_: Any, storage: Any, address: Any, count: Any, other: Any) -> Any:
    """`count` < LANES numbers, and `other` in the other lanes."""
    vector = _vector(storage)

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        bits, mask = llvm_integers(storage.dtype.bitwidth), _first_lanes(builder, args[2])
        read = _masked(builder, "load", bits, _pointer(builder, args[1], bits), _ALIGNMENT, mask, ir.Constant(bits, None))
        return builder.select(mask, _from_bits(builder, read, storage), splatted(builder, args[3]))

    return vector(storage, types.int64, types.int64, vector.element), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(_: Any, storage: Any, address: Any, vector: Any) -> Any:
    """Write a vector, rounded to nearest even."""

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        bits = _to_bits(builder, args[2], storage)
        builder.store(bits, _pointer(builder, args[1], bits.type), align=1)
        return context.get_dummy_value()

    return types.void(storage, types.int64, vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_some(_: Any, storage: Any, address: Any, count: Any, vector: Any) -> Any:
    """Write the first `count` < LANES numbers of a vector, rounded to nearest even."""

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        bits = _to_bits(builder, args[3], storage)
        pointer = _pointer(builder, args[1], bits.type)
        _masked(builder, "store", ir.VoidType(), bits, pointer, _ALIGNMENT, _first_lanes(builder, args[2]))
        return context.get_dummy_value()

    return types.void(storage, types.int64, types.int64, vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_streaming(_: Any, storage: Any, address: Any, vector: Any) -> Any:
    """`store` to an address that is a multiple of `streaming_boundary`, past the caches: what lies there is not read before."""

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        bits = _to_bits(builder, args[2], storage)
        instruction = builder.store(bits, _pointer(builder, args[1], bits.type), align=_boundary(storage))
        instruction.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return types.void(storage, types.int64, vector), generate


def _boundary(storage: Any) -> int:
    return min(64, LANES * int(storage.dtype.bitwidth) // 8)


@intrinsic  # type: ignore[untyped-decorator]
def streaming_boundary(_: Any, storage: Any) -> Any:
    def generate(_: Any, __: Any, ___: Any, ____: Any) -> Any:
        return ir.Constant(ir.IntType(64), _boundary(storage))

    return types.int64(storage), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_: Any, address: Any) -> Any:
    """Have what lies at an address brought into the caches; an address of nothing does no harm."""

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        pointer, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        insert: Any = cgutils.get_or_insert_function
        function = insert(builder.module, ir.FunctionType(ir.VoidType(), [pointer, word, word, word]), "llvm.prefetch.p0")
        to_read, into_all_caches, data = (ir.Constant(word, value) for value in (0, 3, 1))
        builder.call(function, [_pointer(builder, args[0], ir.IntType(8)), to_read, into_all_caches, data])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def copy_one(_: Any, storage: Any, source: Any, destination: Any) -> Any:
    """Copy the bits of one number."""

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        bits = ir.IntType(storage.dtype.bitwidth)
        builder.store(_read(builder, args[1], bits), _pointer(builder, args[2], bits), align=1)
        return context.get_dummy_value()

    return types.void(storage, types.int64, types.int64), generate


SQUARE = 8


@intrinsic  # type: ignore[untyped-decorator]
def copy_square_transposed(_: Any, storage: Any, source: Any, source_step: Any, destination: Any, destination_step: Any) -> Any:
    """Copy SQUARE times SQUARE numbers: rows of the source, `source_step` bytes apart, become columns of the destination.

    In registers: 24 exchanges of lanes for 64 numbers. Copying them one by one takes three times as long.
    """
    row = llvm_integers(storage.dtype.bitwidth, SQUARE)

    def address(builder: Any, start: Any, step: Any, number: int) -> Any:
        return builder.add(start, builder.mul(step, ir.Constant(step.type, number)))

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        _, start, step, other_start, other_step = args
        rows = [_read(builder, address(builder, start, step, number), row) for number in range(SQUARE)]
        for _ in range(3):  # interleaving row i with row i + 4 three times transposes
            interleaved = []
            for upper, lower in zip(rows[:4], rows[4:], strict=True):
                for first in (0, 4):
                    lanes = [lane for number in range(first, first + 4) for lane in (number, SQUARE + number)]
                    interleaved.append(permuted(builder, upper, lower, lanes))
            rows = interleaved
        for number, each in enumerate(rows):
            builder.store(each, _pointer(builder, address(builder, other_start, other_step, number), row), align=1)
        return context.get_dummy_value()

    return types.void(storage, types.int64, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def take_ticket(_: Any, address: Any) -> Any:
    """The int64 at an address, which is increased by one: no two threads get the same."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        integer = ir.IntType(64)
        return builder.atomic_rmw("add", _pointer(builder, args[0], integer), ir.Constant(integer, 1), "monotonic")

    return types.int64(types.int64), generate


def _element(builder: Any, address: Any, index: Any, element: Any) -> Any:
    return builder.gep(_pointer(builder, address, element), [index], source_etype=element)


@intrinsic  # type: ignore[untyped-decorator]
def int64_at(_: Any, address: Any, index: Any) -> Any:
    """Element `index` of int64 numbers from an address on."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.load(_element(builder, args[0], args[1], ir.IntType(64)), typ=ir.IntType(64))

    return types.int64(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def float64_at(_: Any, address: Any, index: Any) -> Any:
    """Element `index` of float64 numbers from an address on."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.load(_element(builder, args[0], args[1], ir.DoubleType()), typ=ir.DoubleType())

    return types.float64(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def set_float64(_: Any, address: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        builder.store(args[2], _element(builder, args[0], args[1], ir.DoubleType()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_float64s(_: Any, address: Any) -> Any:
    """LANES float64 numbers."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _read(builder, args[0], llvm_type(FLOAT64))

    return FLOAT64(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_float64s(_: Any, address: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        builder.store(args[1], _pointer(builder, args[0], llvm_type(FLOAT64)), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def zeros(_: Any, storage: Any) -> Any:
    """A vector of zeros, for arrays of this storage."""
    vector = _vector(storage)

    def generate(_: Any, __: Any, ___: Any, ____: Any) -> Any:
        return ir.Constant(llvm_type(vector), None)

    return vector(storage), generate


@intrinsic  # type: ignore[untyped-decorator]
def size_of(_: Any, storage: Any) -> Any:
    """Bytes of a number."""

    def generate(_: Any, __: Any, ___: Any, ____: Any) -> Any:
        return ir.Constant(ir.IntType(64), storage.dtype.bitwidth // 8)

    return types.int64(storage), generate


@intrinsic  # type: ignore[untyped-decorator]
def number(_: Any, storage: Any, value: Any) -> Any:
    """A float64 as a number of the format that arithmetic on this storage has."""
    element = _vector(storage).element

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return args[1] if element == types.float64 else builder.fptrunc(args[1], ir.FloatType())

    return element(storage, types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_one(_: Any, storage: Any, address: Any) -> Any:
    """One number as a float64."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        bits = splatted(builder, _read(builder, args[1], ir.IntType(storage.dtype.bitwidth)))
        first = builder.extract_element(_from_bits(builder, bits, storage), ir.Constant(ir.IntType(32), 0))
        return first if storage.dtype == types.float64 else builder.fpext(first, ir.DoubleType())

    return types.float64(storage, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_one(_: Any, storage: Any, address: Any, value: Any) -> Any:
    """Write a float64, rounded to the arithmetic format and from there to the storage."""

    def generate(context: Any, builder: Any, __: Any, args: Any) -> Any:
        narrow = args[2] if storage.dtype == types.float64 else builder.fptrunc(args[2], ir.FloatType())
        bits = builder.extract_element(_to_bits(builder, splatted(builder, narrow), storage), ir.Constant(ir.IntType(32), 0))
        builder.store(bits, _pointer(builder, args[1], bits.type), align=1)
        return context.get_dummy_value()

    return types.void(storage, types.int64, types.float64), generate
