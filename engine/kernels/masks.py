"""64 elements of a row to a word of bits and back, in the few instructions that the host has for it.

Each step takes any one-dimensional array and the place of the first of 64 elements, all of which must be
there; who packs a row handles the rest of it one by one. Bit j of a word is element j.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .lanes import Step, runnable

Row = npt.NDArray[Any]
Word = np.uint64

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_MASK = ir.VectorType(ir.IntType(1), 64)


def _lanes(kind: Any) -> Any:
    return ir.VectorType(kind, 64)


def _places(context: Any, builder: Any, kind: Any, row: Any, at: Any) -> tuple[list[Any], bool]:
    """Return where the 64 elements lie: the first alone where they lie side by side, and whether they do."""
    array = context.make_array(kind)(context, builder, row)
    native = context.get_data_type(kind.dtype)
    if kind.layout == "C":
        return [builder.bitcast(builder.gep(array.data, [at]), _lanes(native).as_pointer())], True
    (stride,) = ir_values(builder, array.strides, 1)
    base = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    places = []
    for j in range(64):
        bytes_in = builder.mul(stride, builder.add(at, ir.Constant(_I64, j)))
        places.append(builder.bitcast(builder.gep(base, [bytes_in]), native.as_pointer()))
    return places, False


def ir_values(builder: Any, aggregate: Any, count: int) -> list[Any]:
    """Return the members of an LLVM array."""
    return [builder.extract_value(aggregate, i) for i in range(count)]


def _read(context: Any, builder: Any, kind: Any, row: Any, at: Any) -> Any:
    places, together = _places(context, builder, kind, row, at)
    if together:
        return builder.load(places[0], align=1)
    values = ir.Constant(_lanes(context.get_data_type(kind.dtype)), ir.Undefined)
    for j, place in enumerate(places):
        values = builder.insert_element(values, builder.load(place), _I32(j))
    return values


def _write(context: Any, builder: Any, kind: Any, row: Any, at: Any, values: Any) -> None:
    places, together = _places(context, builder, kind, row, at)
    if together:
        builder.store(values, places[0], align=1)
        return
    for j, place in enumerate(places):
        builder.store(builder.extract_element(values, _I32(j)), place)


def _same(builder: Any, value: Any) -> Any:
    kind = _lanes(value.type)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
    return builder.shuffle_vector(first, first, ir.Constant(_lanes(_I32), [0] * 64))


def _number(kind: Any, value: float) -> Any:
    return ir.Constant(_lanes(kind), [float(value) if not isinstance(kind, ir.IntType) else int(value)] * 64)


def _at_least(builder: Any, kinds: tuple[Any, ...], x: Any, y: Any) -> Any:
    """Return which of x are y or more, compared as NumPy compares their types; a NaN never is."""
    if kinds == (types.uint8, types.uint8):
        return builder.icmp_unsigned(">=", x, y)
    if all(isinstance(kind, types.Integer) for kind in kinds):
        wide = _lanes(_I64 if max(kind.bitwidth for kind in kinds) > 32 else _I32)
        x, y = (_widened(builder, kind, v, wide) for kind, v in zip(kinds, (x, y), strict=True))
        return builder.icmp_signed(">=", x, y)
    if kinds[0] != kinds[1]:
        x, y = (_as_double(builder, kind, v) for kind, v in zip(kinds, (x, y), strict=True))
    return builder.fcmp_ordered(">=", x, y)


def _widened(builder: Any, kind: Any, values: Any, wide: Any) -> Any:
    if values.type == wide:
        return values
    return builder.sext(values, wide) if kind.signed else builder.zext(values, wide)


def _as_double(builder: Any, kind: Any, values: Any) -> Any:
    wide = _lanes(ir.DoubleType())
    if not isinstance(kind, types.Integer):
        return values if values.type == wide else builder.fpext(values, wide)
    signed: Any = kind
    return builder.sitofp(values, wide) if signed.signed else builder.uitofp(values, wide)


def _bits(values: npt.NDArray[np.bool_]) -> Word:
    return np.uint64(np.packbits(values, bitorder="little").view(np.uint64)[0])


def _sign_word(typingctx: Any, row: Any, at: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        x = _read(context, builder, kind, *args)
        zero = _number(x.type.element, 0)
        whole = isinstance(kind.dtype, types.Integer)
        mask = builder.icmp_signed(">=", x, zero) if whole else builder.fcmp_ordered(">=", x, zero)
        return builder.bitcast(mask, _I64)

    return types.uint64(row, types.intp), codegen


def _reached_word(typingctx: Any, row: Any, places: Any, at: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args[:2]
        x, y = (_read(context, builder, kind, v, args[2]) for kind, v in zip(kinds, args[:2], strict=True))
        return builder.bitcast(_at_least(builder, tuple(kind.dtype for kind in kinds), x, y), _I64)

    return types.uint64(row, places, types.intp), codegen


def _bit_word(typingctx: Any, row: Any, at: Any, mask: Any, wanted: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x = _read(context, builder, signature.args[0], *args[:2])
        mask, wanted = (_same(builder, builder.trunc(v, x.type.element)) for v in args[2:])
        return builder.bitcast(builder.icmp_signed("==", builder.and_(x, mask), wanted), _I64)

    return types.uint64(row, types.intp, types.int64, types.int64), codegen


def _spread_signs(typingctx: Any, row: Any, at: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        native = context.get_data_type(kind.dtype)
        mask = builder.bitcast(args[2], _MASK)
        signs = builder.select(mask, _number(native, 1), _number(native, -1))
        _write(context, builder, kind, args[0], args[1], signs)
        return context.get_dummy_value()

    return types.void(row, types.intp, types.uint64), codegen


def _spread_signs_twin(row: Row, at: int, word: Word) -> None:
    bits = np.unpackbits(np.array([word], np.uint64).view(np.uint8), bitorder="little")
    row[at : at + 64] = 2 * bits.astype(row.dtype) - 1


def _step(made: Callable[..., Any], twin: Step) -> Step:
    return runnable(intrinsic(made), twin)


# (row, at): which elements are 0 or more.
sign_word = _step(_sign_word, lambda row, at: _bits(row[at : at + 64] >= 0))
# (row, places, at): which elements of a row reach their place.
reached_word = _step(_reached_word, lambda row, places, at: _bits(row[at : at + 64] >= places[at : at + 64]))
# (row, at, mask, wanted): of which elements the bits under a mask are as wanted; whole numbers.
bit_word = _step(_bit_word, lambda row, at, mask, wanted: _bits((row[at : at + 64] & mask) == wanted))
# (row, at, word): write +1 where a bit is 1, and -1 where it is 0.
spread_signs = _step(_spread_signs, _spread_signs_twin)
