"""Flags between threads that are looked at in a loop: told within a fraction of a microsecond.

Waking a thread that sleeps takes some 50 microseconds, and more under a hypervisor, which is as long as many
a kernel runs. A thread that waits in one of these loops has let go of the interpreter.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types

from .jit import kernel
from .vectors import native, pointer

I64 = npt.NDArray[np.int64]

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_WORD = ir.IntType(64)


@native
def _look(typingctx: Any, flags: Any, place: Any) -> Any:
    """Return an int64 as another thread last told it; what that wrote before is seen from here on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte = builder.shl(args[1], ir.Constant(args[1].type, 3))
        at = pointer(context, builder, signature.args[0], args[0], byte, _WORD)
        return builder.load_atomic(at, "acquire", 8)

    return types.int64(flags, types.intp), codegen


@native
def _tell(typingctx: Any, flags: Any, place: Any, value: Any) -> Any:
    """Store an int64 for another thread, after all that this thread wrote before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte = builder.shl(args[1], ir.Constant(args[1].type, 3))
        at = pointer(context, builder, signature.args[0], args[0], byte, _WORD)
        builder.store_atomic(args[2], at, "release", 8)
        return context.get_dummy_value()

    return types.void(flags, types.intp, types.int64), codegen


@native
def _pause(typingctx: Any) -> Any:
    """Let the processor rest a moment, where it knows how."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), [])
        return context.get_dummy_value()

    return types.void(), codegen


@kernel
def tell(flags: I64, place: int, value: int) -> None:
    """Set a flag."""
    _tell(flags, place, value)


@kernel
def seen(flags: I64, place: int, value: int, patience: int) -> bool:
    """Return whether a flag gets a value within `patience` looks."""
    for _ in range(patience):
        if _look(flags, place) == value:
            return True
        _pause()
    return False


@kernel
def tell_and_see(flags: I64, told: int, place: int, value: int, patience: int, rest: int) -> bool:
    """Set flag `told` to `value` - 1, then return whether flag `place` gets `value` within `patience` looks.

    What waits is a thread that has done its part `value` - 1. Having seen the next told, it rests for `rest`
    looks: who tells it needs the interpreter a moment longer, and one who asks in vain for that falls asleep.
    """
    _tell(flags, told, value - 1)
    for _ in range(patience):
        if _look(flags, place) == value:
            for _ in range(rest):
                _pause()
            return True
        _pause()
    return False
