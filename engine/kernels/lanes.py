"""Vectors of 32 bytes inside kernels: loads, stores and lane-wise steps that LLVM maps to what the host has.

A vector is read as 32 bytes, or as 16 little-endian lanes of 16 bits. Memory is a flat uint8 array and a byte
offset; no alignment is asked and no bound is checked. Every step has a twin in NumPy, which runs where the
JIT is off, unlike those of vectors.py. All wrap around on overflow, as machines do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.core.extending import _Intrinsic
from numba.extending import intrinsic

from .cpu import features
from .cpu import name as cpu_name
from .vectors import Vector

U8 = npt.NDArray[np.uint8]
Vec = Any  # a vector inside a kernel; a uint8 array of 32 where the JIT is off
Step = Callable[..., Any]

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_BYTES, _WORDS16, _EIGHT = ir.VectorType(_I8, 32), ir.VectorType(_I16, 16), ir.VectorType(_I64, 8)


VECTOR = Vector(8, 32)
EIGHT = Vector(64, 8)  # eight words of 64 bits; uint64 (8,) where the JIT is off
MEMORY = types.Array(types.uint8, 1, "C")  # stands for every flat array in the arguments of a step
INT = types.int64
WORD = types.uint64


class _Runnable(_Intrinsic):  # type: ignore[misc]  # final, but for what Python's call does
    """An intrinsic that Python can call too: it runs its twin."""

    twin: Step

    def __call__(self, *args: Any) -> Any:
        """Run the twin."""
        return self.twin(*args)


def step(result: Any, arguments: tuple[Any, ...], emit: Step, twin: Step) -> Step:
    """Return a function for kernels: machine code by `emit`, and `twin` where Python calls it.

    Args:
        result: numba type of the result.
        arguments: numba types of the arguments; MEMORY takes any flat array.
        emit: writes LLVM, given the builder and the values of the arguments; for MEMORY, where it is.
        twin: the same in NumPy.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = [_value(context, builder, *pair) for pair in zip(signature.args, args, strict=True)]
        found = emit(builder, *values)
        return context.get_dummy_value() if signature.return_type == types.void else found

    def typed(*given: Any) -> Any:
        kept = (g if a is MEMORY else a for g, a in zip(given, arguments, strict=True))
        return result(*kept), codegen

    return runnable(_INTRINSICS[len(arguments)](typed), twin)


def runnable(made: Any, twin: Step) -> Step:
    """Return an intrinsic that runs `twin` where Python calls it."""
    made.__class__, made.twin = _Runnable, twin
    return cast("Step", made)


def _value(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if not isinstance(kind, types.Array):
        return value
    return builder.bitcast(context.make_array(kind)(context, builder, value).data, _I8.as_pointer())


def _take_0(typed: Step) -> Any:
    return intrinsic(lambda context: typed())


def _take_1(typed: Step) -> Any:
    return intrinsic(lambda context, a: typed(a))


def _take_2(typed: Step) -> Any:
    return intrinsic(lambda context, a, b: typed(a, b))


def _take_3(typed: Step) -> Any:
    return intrinsic(lambda context, a, b, c: typed(a, b, c))


def _take_4(typed: Step) -> Any:
    return intrinsic(lambda context, a, b, c, d: typed(a, b, c, d))


def _take_5(typed: Step) -> Any:
    return intrinsic(lambda context, a, b, c, d, e: typed(a, b, c, d, e))


def _take_6(typed: Step) -> Any:
    return intrinsic(lambda context, a, b, c, d, e, f: typed(a, b, c, d, e, f))


def _take_7(typed: Step) -> Any:
    return intrinsic(lambda context, a, b, c, d, e, f, g: typed(a, b, c, d, e, f, g))


# numba reads how many arguments an intrinsic takes from its Python signature.
_INTRINSICS = {0: _take_0, 1: _take_1, 2: _take_2, 3: _take_3, 4: _take_4, 5: _take_5, 6: _take_6, 7: _take_7}


def _at(builder: Any, memory: Any, at: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(memory, [at]), kind.as_pointer())


def loader(
    result: Any, kind: Any, count: int, convert: Callable[[U8], Any], emit: Step | None = None
) -> Step:
    """Return a step `(memory, at)` that loads `count` bytes as an LLVM type and converts them."""

    def read(builder: Any, memory: Any, at: Any) -> Any:
        value = builder.load(_at(builder, memory, at, kind), align=1)
        return emit(builder, value) if emit else value

    return step(result, (MEMORY, INT), read, lambda memory, at: convert(memory[at : at + count]))


def _store(builder: Any, memory: Any, at: Any, value: Any) -> None:
    builder.store(value, _at(builder, memory, at, value.type), align=1)


def _store_twin(memory: U8, at: int, value: Any) -> None:
    data = np.atleast_1d(value).view(np.uint8)
    memory[at : at + len(data)] = data


def _binary(name: str, twin: Step, *, wide: bool = False) -> Step:
    """Return a step of two vectors, lane by lane: of bytes, or of 16 bits where `wide`."""

    def emit(builder: Any, x: Any, y: Any) -> Any:
        if not wide:
            return getattr(builder, name)(x, y)
        x, y = (builder.bitcast(v, _WORDS16) for v in (x, y))
        return builder.bitcast(getattr(builder, name)(x, y), _BYTES)

    def lanes(x: U8, y: U8) -> U8:
        kind = np.uint16 if wide else np.uint8
        return np.asarray(twin(x.view(kind), y.view(kind)), kind).view(np.uint8)

    return step(VECTOR, (VECTOR, VECTOR), emit, lanes)


def shifter(name: str, count: int) -> Step:
    """Return a step that shifts every 16-bit lane by `count`: `shl` or `lshr`."""

    def emit(builder: Any, x: Any) -> Any:
        by = ir.Constant(_WORDS16, [count] * 16)
        return builder.bitcast(getattr(builder, name)(builder.bitcast(x, _WORDS16), by), _BYTES)

    shift = np.left_shift if name == "shl" else np.right_shift
    return step(VECTOR, (VECTOR,), emit, lambda x: shift(x.view(np.uint16), np.uint16(count)).view(np.uint8))


def constant(lanes: list[int]) -> Step:
    """Return a step without arguments that gives these 32 bytes."""
    return step(VECTOR, (), lambda builder: ir.Constant(_BYTES, lanes), lambda: np.array(lanes, np.uint8))


load = loader(VECTOR, _BYTES, 32, np.copy)
load_word = loader(WORD, _I64, 8, lambda data: data.copy().view(np.uint64)[0])
store = step(types.void, (MEMORY, INT, VECTOR), _store, _store_twin)
add8 = _binary("add", np.add)
sub8 = _binary("sub", np.subtract)
and8 = _binary("and_", np.bitwise_and)
or8 = _binary("or_", np.bitwise_or)
xor8 = _binary("xor", np.bitwise_xor)
add16 = _binary("add", np.add, wide=True)
sub16 = _binary("sub", np.subtract, wide=True)
right_1, right_4, right_8 = (shifter("lshr", count) for count in (1, 4, 8))
left_4, left_8 = (shifter("shl", count) for count in (4, 8))
zeros = constant([0] * 32)
ones = constant([1] * 32)
low_bytes = constant([255, 0] * 16)


def _pick_byte(builder: Any, word: Any, place: Any) -> Any:
    shifted = builder.lshr(word, builder.shl(place, ir.Constant(_I64, 3)))
    return builder.and_(shifted, ir.Constant(_I64, 255))


# The byte of a word at a place, 0 lowest, as an integer.
pick_byte = step(INT, (WORD, INT), _pick_byte, lambda word, place: int(word) >> (8 * place) & 255)


def call_llvm(builder: Any, kind: Any, name: str, values: list[Any]) -> Any:
    """Return what one of LLVM's own functions gives, declared where the kernel is compiled."""
    function = get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(function, values)


def _twice(builder: Any, half: Any) -> Any:
    order = ir.Constant(ir.VectorType(_I32, 32), [j % 16 for j in range(32)])
    return builder.shuffle_vector(half, half, order)


def _shuffle(builder: Any, table: Any, places: Any) -> Any:
    kind = ir.FunctionType(_BYTES, [_BYTES, _BYTES])
    return call_llvm(builder, kind, "llvm.x86.avx2.pshuf.b", [table, places])


def _shuffle_twin(table: U8, places: U8) -> U8:
    return np.concatenate([table[i : i + 16][places[i : i + 16] & 15] for i in (0, 16)])


load_twice = loader(VECTOR, ir.VectorType(_I8, 16), 16, lambda data: np.tile(data, 2), _twice)
# The bytes of a table at places 0 to 15, in each half by itself. Needs AVX2.
shuffle = step(VECTOR, (VECTOR, VECTOR), _shuffle, _shuffle_twin)


def _spread(builder: Any, word: Any) -> Any:
    first = builder.insert_element(ir.Constant(_EIGHT, ir.Undefined), word, _I32(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_I32, 8), [0] * 8))


def _differing(builder: Any, x: Any, y: Any) -> Any:
    kind = ir.FunctionType(_EIGHT, [_EIGHT])
    return call_llvm(builder, kind, "llvm.ctpop.v8i64", [builder.xor(x, y)])


def _put_eight(builder: Any, memory: Any, at: Any, counts: Any, columns: Any) -> None:
    found = builder.sub(_spread(builder, columns), builder.add(counts, counts))
    _store(builder, memory, at, builder.trunc(found, ir.VectorType(_I32, 8)))


def _put_eight_twin(memory: U8, at: int, counts: npt.NDArray[np.uint64], columns: int) -> None:
    _store_twin(memory, at, (columns - 2 * counts.astype(np.int64)).astype(np.int32))


load_eight = loader(EIGHT, _EIGHT, 64, lambda data: data.copy().view(np.uint64))
zero_eight = step(EIGHT, (), lambda builder: ir.Constant(_EIGHT, [0] * 8), lambda: np.zeros(8, np.uint64))
spread = step(EIGHT, (WORD,), _spread, lambda word: np.full(8, word, np.uint64))
add_eight = step(EIGHT, (EIGHT, EIGHT), lambda builder, x, y: builder.add(x, y), np.add)
# The bits that differ between two vectors of words, counted word by word.
differing = step(EIGHT, (EIGHT, EIGHT), _differing, lambda x, y: np.bitwise_count(x ^ y).astype(np.uint64))
# Writes 8 int32, `columns` - 2 x count.
put_eight = step(types.void, (MEMORY, INT, EIGHT, INT), _put_eight, _put_eight_twin)


def _below(builder: Any, even: Any, odd: Any, even_limits: Any, odd_limits: Any) -> Any:
    def masks(counts: Any, limits: Any) -> Any:
        less = builder.icmp_signed("<", *(builder.bitcast(v, _WORDS16) for v in (counts, limits)))
        return builder.bitcast(builder.sext(less, _WORDS16), _BYTES)

    low = ir.Constant(_BYTES, [255, 0] * 16)
    both = builder.or_(
        builder.and_(masks(even, even_limits), low), builder.and_(masks(odd, odd_limits), builder.not_(low))
    )
    bits = builder.icmp_signed("<", both, ir.Constant(_BYTES, [0] * 32))
    return builder.zext(builder.bitcast(bits, _I32), _I64)


def _below_twin(even: U8, odd: U8, even_limits: U8, odd_limits: U8) -> np.uint64:
    pairs = ((even, even_limits), (odd, odd_limits))
    less = np.stack([a.view(np.int16) < b.view(np.int16) for a, b in pairs], axis=1).ravel()
    return np.uint64(np.packbits(less, bitorder="little").view(np.uint32)[0])


def _put_below(builder: Any, memory: Any, at: Any, counts: Any, limits: Any) -> None:
    bits = builder.icmp_unsigned("<", counts, limits)
    _store(builder, memory, at, builder.bitcast(bits, _I8))


def _put_below_twin(memory: U8, at: int, counts: Any, limits: Any) -> None:
    memory[at] = np.packbits(counts < limits, bitorder="little")[0]


# 32 bits: whether each signed count in 16-bit lanes is below its limit; even outputs and odd ones apart.
below = step(WORD, (VECTOR, VECTOR, VECTOR, VECTOR), _below, _below_twin)
# Writes a byte: whether each of eight counts is below its limit.
put_below = step(types.void, (MEMORY, INT, EIGHT, EIGHT), _put_below, _put_below_twin)


def _put_sums(builder: Any, memory: Any, at: Any, wide: Any, w: Any, total: Any) -> None:
    ints = ir.VectorType(_I32, 16)

    def part(place: int) -> Any:
        here = builder.add(w, ir.Constant(_I64, place))
        low = builder.load(_at(builder, wide, here, _WORDS16), align=1)
        above = builder.load(_at(builder, wide, builder.add(here, ir.Constant(_I64, 64)), _WORDS16), align=1)
        high = builder.shl(builder.zext(above, ints), ir.Constant(ints, [8] * 16))
        return builder.add(builder.zext(low, ints), high)

    order = ir.Constant(ir.VectorType(_I32, 32), [j // 2 + 16 * (j & 1) for j in range(32)])
    sums = builder.shuffle_vector(part(0), part(32), order)
    first = builder.insert_element(ir.Constant(sums.type, ir.Undefined), builder.trunc(total, _I32), _I32(0))
    everywhere = builder.shuffle_vector(first, first, ir.Constant(sums.type, [0] * 32))
    _store(builder, memory, at, builder.sub(builder.add(sums, sums), everywhere))


def _put_sums_twin(memory: U8, at: int, wide: U8, w: int, total: int) -> None:
    low0, low1, high0, high1 = (
        wide[w + i : w + i + 32].view(np.uint16).astype(np.int32) for i in (0, 32, 64, 96)
    )
    sums = np.stack([low0 + 256 * high0, low1 + 256 * high1], axis=1).ravel()
    _store_twin(memory, at, (2 * sums - total).astype(np.int32))


def _put_tables(builder: Any, memory: Any, at: Any, four: Any) -> None:
    total = ir.Constant(_WORDS16, [0] * 16)
    for i in range(4):
        byte = builder.and_(builder.lshr(four, ir.Constant(_I64, 8 * i)), ir.Constant(_I64, 255))
        first = builder.insert_element(
            ir.Constant(_WORDS16, ir.Undefined), builder.trunc(byte, _I16), _I32(0)
        )
        everywhere = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_I32, 16), [0] * 16))
        asked = ir.Constant(_WORDS16, [-(v >> i & 1) for v in range(16)])
        total = builder.add(total, builder.and_(everywhere, asked))
    half = ir.VectorType(_I8, 16)
    _store(builder, memory, at, builder.trunc(total, half))
    high = builder.trunc(builder.lshr(total, ir.Constant(_WORDS16, [8] * 16)), half)
    _store(builder, memory, builder.add(at, ir.Constant(_I64, 16)), high)


def _put_tables_twin(memory: U8, at: int, four: int) -> None:
    values = np.arange(16)
    sums = sum((int(four) >> 8 * i & 255) * (values >> i & 1) for i in range(4))
    memory[at : at + 16], memory[at + 16 : at + 32] = np.asarray(sums) & 255, np.asarray(sums) >> 8


def _load_four(builder: Any, value: Any) -> Any:
    return builder.zext(value, _I64)


load_four = loader(WORD, _I32, 4, lambda data: np.uint64(data.copy().view(np.uint32)[0]), _load_four)
# Writes for each of 16 sets of four bytes their sum: 16 low bytes, then 16 high ones.
put_tables = step(types.void, (MEMORY, INT, WORD), _put_tables, _put_tables_twin)
# Writes 32 int32, 2 x sum - total, for sums of low and high bytes: even outputs, odd ones, their high bytes.
put_sums = step(types.void, (MEMORY, INT, MEMORY, INT, INT), _put_sums, _put_sums_twin)


_FIVES = (  # the bits that are kept in place, those that move, how far: 8 groups of 5 bits to 8 bytes
    (0x00000000000FFFFF, 0x000000FFFFF00000, 12),
    (0x000003FF000003FF, 0x000FFC00000FFC00, 6),
    (0x001F001F001F001F, 0x03E003E003E003E0, 3),
)


def _spread_fives(builder: Any, word: Any) -> Any:
    if "bmi2" in features() and not cpu_name().startswith(("znver1", "znver2")):  # there it is slow
        kind = ir.FunctionType(_I64, [_I64, _I64])
        into = ir.Constant(_I64, 0xF8F8F8F8F8F8F8F8)
        return call_llvm(builder, kind, "llvm.x86.bmi.pdep.64", [word, into])
    for kept, moved, far in _FIVES:
        stays = builder.and_(word, ir.Constant(_I64, kept))
        goes = builder.shl(builder.and_(word, ir.Constant(_I64, moved)), ir.Constant(_I64, far))
        word = builder.or_(stays, goes)
    return builder.shl(word, ir.Constant(_I64, 3))


def _spread_fives_twin(word: np.uint64) -> np.uint64:
    found = int(word)
    for kept, moved, far in _FIVES:
        found = (found & kept) | ((found & moved) << far)
    return np.uint64(found << 3)


# Eight times each of eight groups of 5 bits, in the bytes of a word.
spread_fives = step(WORD, (WORD,), _spread_fives, _spread_fives_twin)
