"""Kernels that load vectors read nothing behind their arrays, which no check of bounds would see."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.kernels import cpu

ROOT = Path(__file__).parents[2]

GUARDED = """
import ctypes, mmap, sys
import numpy as np
from engine.kernels import cpu
from engine.kernels.signs import SIGN_KERNELS
from engine.kernels.whole import SIGNS, WHOLE_KERNELS, Levels, WholeWeights

libc = ctypes.CDLL(None)


def guarded(array):
    # A copy that ends where a page begins that must not be touched.
    size = -(-max(1, array.nbytes) // mmap.PAGESIZE) * mmap.PAGESIZE
    whole = np.frombuffer(mmap.mmap(-1, size + mmap.PAGESIZE), np.uint8)
    assert libc.mprotect(ctypes.c_void_p(whole.ctypes.data + size), mmap.PAGESIZE, 0) == 0
    copy = whole[size - array.nbytes : size].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


rng = np.random.default_rng(0)
if sys.argv[1] == "touch":
    array = guarded(np.arange(8.0))
    print(array.sum(), ctypes.string_at(array.ctypes.data + array.nbytes, 1))
for rows, outputs, inputs in ((1, 7, 65), (3, 64, 120), (17, 65, 784), (66, 130, 1), (5, 129, 250)):
    words = -(-inputs // 64)
    a, b = (
        np.packbits(rng.integers(0, 2, (n, 64 * words)) * (np.arange(64 * words) < inputs), axis=1,
                    bitorder="little").view(np.uint64)
        for n in (rows, outputs)
    )
    expected = inputs - 2 * np.bitwise_count(a[:, None] ^ b[None]).sum(axis=2, dtype=np.int32)
    for key, kernel in SIGN_KERNELS.items():
        if kernel.feature and kernel.feature not in cpu.features():
            continue
        layout = kernel.lay(guarded(b), inputs)
        layout = guarded(layout) if isinstance(layout, np.ndarray) else layout
        out = guarded(np.zeros((rows, outputs), np.int32))
        kernel.dot(guarded(a), inputs, layout, out)
        assert (out == expected).all(), (key, rows, outputs, inputs)
    for planes in (1, 3):
        levels = SIGNS if planes == 1 else Levels((1, 2, -4))
        packed = guarded(np.stack([b] + [b[::-1]] * (planes - 1)))
        bits = np.unpackbits(packed.view(np.uint8), axis=2, bitorder="little")[:, :, :inputs].astype(int)
        numbers = levels.offset + np.tensordot(np.array(levels.coefficients), bits, 1)
        x = rng.integers(-8, 8, (rows, inputs)).astype(np.int16)
        seen = Levels((1, 2, 4, -8))
        for key in WHOLE_KERNELS:
            weights = WholeWeights(packed, levels, inputs, ((1, "plain"),), ((1, (key,)),))
            if weights.can(key, seen):
                out = guarded(np.zeros((rows, outputs), np.int32))
                weights.dot(guarded(x), seen, out)
                assert (out == x.astype(int) @ numbers.T).all(), (key, planes, rows, outputs, inputs)
print("read nothing else")
"""


def run(*asked):
    return subprocess.run(
        [sys.executable, "-c", GUARDED, *asked], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.skipif(sys.platform != "linux", reason="pages are guarded as Linux does it")
@pytest.mark.skipif(not cpu.compiled(), reason="kernels are plain Python, which checks bounds")
def test_products_read_nothing_past_the_end_of_their_arrays():
    done = run("kernels")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "read nothing else"


@pytest.mark.skipif(sys.platform != "linux", reason="pages are guarded as Linux does it")
def test_the_guard_is_felt():
    assert run("touch").returncode < 0
