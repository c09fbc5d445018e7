"""Vectors inside kernels, for loops that LLVM does not find by itself: their types, and steps of 16 floats.

A kernel holds a vector in a local variable and it stays in registers. Steps of whole numbers are in lanes.py;
those of floats here run with the compiler on alone: who uses them has a plain twin for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from .cpu import compiled, features

AVX2, COMPILED = "avx2" in features(), compiled()


class Vector(types.Type):
    """`lanes` whole numbers of `bits` bits."""

    def __init__(self, bits: int, lanes: int) -> None:
        self.bits, self.lanes = bits, lanes
        super().__init__(name=f"Vector({bits}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, _llvm(vector))  # type: ignore[no-untyped-call]


class Floats(types.Type):
    """16 float32: one register with AVX-512, two with AVX2, more without; right on every host."""

    def __init__(self) -> None:
        super().__init__(name="Floats")


@register_model(Floats)
class _FloatsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, floats: Floats) -> None:
        super().__init__(manager, floats, _SIXTEEN)  # type: ignore[no-untyped-call]


_FLOATS, _SIXTEEN = Floats(), ir.VectorType(ir.FloatType(), 16)
_SIXTEEN_ZEROS = ir.Constant(ir.VectorType(ir.IntType(32), 16), [0] * 16)


def _llvm(vector: Vector) -> ir.VectorType:
    return ir.VectorType(ir.IntType(vector.bits), vector.lanes)


def native(build: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that kernels call, of what numba asks of an intrinsic."""
    made: Callable[..., Any] = intrinsic(build)
    return made


def pointer(context: Any, builder: Any, array: Any, value: Any, byte: Any, to: ir.Type) -> Any:
    """Return the address `byte` bytes into a contiguous array, as a pointer to `to`."""
    data = context.make_array(array)(context, builder, value).data
    place = builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [byte])
    return builder.bitcast(place, to.as_pointer())


@native
def load_floats(typingctx: Any, array: Any, place: Any) -> Any:
    """Load 16 float32 from the element `place` of a contiguous array on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, at = args
        byte = builder.shl(at, ir.Constant(at.type, 2))
        found = builder.load(pointer(context, builder, signature.args[0], value, byte, _SIXTEEN))
        found.align = 4
        return found

    return _FLOATS(array, types.intp), codegen


@native
def store_floats(typingctx: Any, array: Any, place: Any, floats: Any) -> Any:
    """Store 16 float32 from the element `place` of a contiguous array on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, at, lanes = args
        byte = builder.shl(at, ir.Constant(at.type, 2))
        builder.store(lanes, pointer(context, builder, signature.args[0], value, byte, _SIXTEEN)).align = 4
        return context.get_dummy_value()

    return types.void(array, types.intp, _FLOATS), codegen


@native
def add_floats(typingctx: Any, a: Any, b: Any) -> Any:
    """Return the sums of 16 float32, lane by lane."""
    return _FLOATS(_FLOATS, _FLOATS), lambda context, builder, signature, args: builder.fadd(*args)


@native
def add_multiple(typingctx: Any, a: Any, b: Any, factor: Any) -> Any:
    """Return a + factor * b of 16 float32, lane by lane, rounded after each of the two steps."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a, b, one = args
        empty = ir.Constant(_SIXTEEN, ir.Undefined)
        held = builder.insert_element(empty, one, ir.Constant(ir.IntType(32), 0))
        return builder.fadd(a, builder.fmul(b, builder.shuffle_vector(held, empty, _SIXTEEN_ZEROS)))

    return _FLOATS(_FLOATS, _FLOATS, types.float32), codegen


@native
def multiple(typingctx: Any, a: Any, factor: Any) -> Any:
    """Return factor * a of 16 float32, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        empty = ir.Constant(_SIXTEEN, ir.Undefined)
        held = builder.insert_element(empty, args[1], ir.Constant(ir.IntType(32), 0))
        return builder.fmul(args[0], builder.shuffle_vector(held, empty, _SIXTEEN_ZEROS))

    return _FLOATS(_FLOATS, types.float32), codegen


@native
def subtract_floats(typingctx: Any, a: Any, b: Any) -> Any:
    """Return the differences of 16 float32, lane by lane."""
    return _FLOATS(_FLOATS, _FLOATS), lambda context, builder, signature, args: builder.fsub(*args)


@native
def larger_floats(typingctx: Any, a: Any, b: Any) -> Any:
    """Return the larger of two times 16 float32, lane by lane; none may be not a number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return _FLOATS(_FLOATS, _FLOATS), codegen


@native
def reached_bits(typingctx: Any, a: Any, b: Any) -> Any:
    """Return as bits, lane 0 lowest, which of 16 float32 are at least those of another 16."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(builder.fcmp_ordered(">=", *args), ir.IntType(16))
        return builder.zext(bits, ir.IntType(64))

    return types.uint64(_FLOATS, _FLOATS), codegen


@native
def filled_bits(typingctx: Any, a: Any, bound: Any) -> Any:
    """Return as bits, lane 0 lowest, which of 16 float32 are not 0; then which are past a bound or NaN."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a, most = args
        empty, wide = ir.Constant(_SIXTEEN, ir.Undefined), ir.IntType(32)
        held = builder.insert_element(empty, most, ir.Constant(wide, 0))
        held = builder.shuffle_vector(held, empty, _SIXTEEN_ZEROS)
        ints = ir.VectorType(wide, 16)
        sizes = builder.and_(builder.bitcast(a, ints), ir.Constant(ints, [0x7FFFFFFF] * 16))
        past = builder.fcmp_unordered(">", builder.bitcast(sizes, _SIXTEEN), held)
        filled = builder.fcmp_unordered("!=", a, ir.Constant(_SIXTEEN, [0.0] * 16))
        low, high = (builder.zext(builder.bitcast(m, ir.IntType(16)), ir.IntType(64)) for m in (filled, past))
        return builder.or_(low, builder.shl(high, ir.Constant(high.type, 16)))

    return types.uint64(_FLOATS, types.float32), codegen


@native
def no_floats(typingctx: Any) -> Any:
    """Return 16 float32 that are 0."""
    return _FLOATS(), lambda context, builder, signature, args: ir.Constant(_SIXTEEN, [0.0] * 16)


@native
def turn_floats(typingctx: Any, source: Any, at: Any, step: Any, target: Any, place: Any, stride: Any) -> Any:
    """Transpose 16 x 16 float32: from at + i * step of one array to place + i * stride of another.

    In squares of 8 x 8, which the registers of a host with 256-bit vectors hold.
    """
    eight = ir.VectorType(ir.FloatType(), 8)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def address(which: int, row: int, column: int) -> Any:
            value, first, by = args[which : which + 3]
            element = builder.add(first, builder.mul(by, ir.Constant(by.type, row)))
            element = builder.add(element, ir.Constant(element.type, column))
            byte = builder.shl(element, ir.Constant(element.type, 2))
            return pointer(context, builder, signature.args[which], value, byte, eight)

        for row, column in ((0, 0), (0, 8), (8, 0), (8, 8)):
            rows = [builder.load(address(0, row + i, column), align=4) for i in range(8)]
            for i, turned in enumerate(_turned(builder, rows)):
                builder.store(turned, address(3, column + i, row), align=4)
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, target, types.intp, types.intp), codegen


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Return the columns of a square of vectors, by swapping single lanes, then pairs, then halves."""
    lanes = range(len(rows))
    half = 1
    while half < len(rows):
        low = [lane if not lane & half else len(rows) + lane - half for lane in lanes]
        high = [lane + half if not lane & half else len(rows) + lane for lane in lanes]
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), len(rows)), order) for order in (low, high)]
        for i in lanes:
            if not i & half:
                pair = rows[i], rows[i + half]
                rows[i], rows[i + half] = (builder.shuffle_vector(*pair, mask) for mask in masks)
        half *= 2
    return rows
