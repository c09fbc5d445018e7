"""Arrays inside kernels that lie in flat memory: where they begin and what they hold, in a few instructions.

numba's own slices, views and reshapes count who holds an array and call into its run time; a kernel of many
short steps spends more on that than on its work. These count nothing: the memory must outlive them, as the
arguments of a kernel do. No bound is checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from .lanes import U8, Step, runnable

_BYTE = ir.IntType(8).as_pointer()


def _made(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    """Return a contiguous array that nobody holds."""
    found = context.make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides: list[Any] = []
    step = ir.Constant(ir.IntType(64), size)
    for length in reversed(shape):
        strides.insert(0, step)
        step = builder.mul(step, length)
    data = builder.bitcast(data, found.data.type)
    populate_array(found, data, shape, strides, context.get_constant(types.intp, size), None)  # type: ignore[no-untyped-call]
    return found._getvalue()  # noqa: SLF001 - what numba names it


def _begin(context: Any, builder: Any, kind: Any, value: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, value).data
    return builder.gep(builder.bitcast(data, _BYTE), [at])


def _row(dtype: Any, plain: Any) -> Step:
    """Return a step `(memory, at, n)` that gives n elements from byte `at` of a flat array on."""

    def typed(typingctx: Any, memory: Any, at: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = _begin(context, builder, signature.args[0], *args[:2])
            return _made(context, builder, signature.return_type, data, [args[2]])

        return types.Array(dtype, 1, "C")(memory, types.intp, types.intp), codegen

    size = np.dtype(plain).itemsize
    return runnable(intrinsic(typed), lambda memory, at, n: memory[at : at + size * n].view(plain))


def _rows(dtype: Any, plain: Any) -> Step:
    """Return a step `(memory, at, n, m)` that gives n rows of m elements."""

    def typed(typingctx: Any, memory: Any, at: Any, n: Any, m: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = _begin(context, builder, signature.args[0], *args[:2])
            return _made(context, builder, signature.return_type, data, list(args[2:]))

        return types.Array(dtype, 2, "C")(memory, types.intp, types.intp, types.intp), codegen

    size = np.dtype(plain).itemsize

    def twin(memory: U8, at: int, n: int, m: int) -> Any:
        return memory[at : at + size * n * m].view(plain).reshape(n, m)

    return runnable(intrinsic(typed), twin)


def _bytes_of(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = context.make_array(signature.args[0])(context, builder, args[0])
        data = builder.bitcast(found.data, _BYTE)
        return _made(
            context, builder, signature.return_type, data, [builder.mul(found.nitems, found.itemsize)]
        )

    return types.Array(types.uint8, 1, "C")(array), codegen


byte_row, byte_rows = _row(types.uint8, np.uint8), _rows(types.uint8, np.uint8)
half_row = _row(types.uint16, np.uint16)
unit_row, unit_rows = _row(types.uint32, np.uint32), _rows(types.uint32, np.uint32)
int_row, int_rows = _row(types.int32, np.int32), _rows(types.int32, np.int32)
long_row, long_rows = _row(types.int64, np.int64), _rows(types.int64, np.int64)
word_row, word_rows = _row(types.uint64, np.uint64), _rows(types.uint64, np.uint64)
float_row, float_rows = _row(types.float32, np.float32), _rows(types.float32, np.float32)
double_rows = _rows(types.float64, np.float64)
# The bytes of a contiguous array of any shape.
bytes_of = runnable(intrinsic(_bytes_of), lambda array: array.reshape(-1).view(np.uint8))
