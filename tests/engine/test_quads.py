"""kernels/quads.py and quad_lanes.py: products of bytes against plain NumPy, for both ways to add them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import cpu, quads
from engine.kernels.quads import CHUNK, ROOM, QuadWeights, fits, lay_quads, lay_rows, pairs_that_fit, shift_of

sizes = st.tuples(st.integers(0, 9), st.integers(1, 70), st.integers(1, 90), st.integers(0, 2**32 - 1))
WEIGHTS = {"1": (-1, 1), "2": (-2, 1), "4": (-8, 7), "8": (-128, 127)}
ROWS = {"4": (-8, 7), "4 unsigned": (0, 15), "8": (-128, 127), "8 unsigned": (0, 255)}


def drawn(size, weight, seen):
    n, m, k, seed = size
    rng = np.random.default_rng(seed)
    made = []
    for (low, high), shape in ((ROWS[seen], (n, k)), (WEIGHTS[weight], (m, k))):
        x = rng.integers(low, high + 1, shape).astype(np.int16)
        x[:, : k // 2] = rng.choice([low, high], (len(x), k // 2))  # so that sums are large
        made.append(x)
    return made


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("seen", ROWS)
@settings(deadline=None, max_examples=8)
@given(size=sizes)
def test_products_are_those_of_the_numbers(weight, seen, size):
    if not fits(WEIGHTS[weight][1] - WEIGHTS[weight][0], *ROWS[seen]):
        pytest.skip("not on this host")
    x, w = drawn(size, weight, seen)
    out = np.empty((len(x), len(w)), np.int32)
    ready = QuadWeights(w, *WEIGHTS[weight])
    ready.dot(x, *ROWS[seen], out)
    expected = x.astype(np.int64) @ w.astype(np.int64).T
    assert (out == expected).all()
    if ROWS[seen][0] == 0:
        ready.dot(x.astype(np.uint8), *ROWS[seen], out)
        assert (out == expected).all()


def tile_by_tile(tile, row, x, w, lows):
    """Return what `dot_quads` gives, every tile multiplied by `tile`, a single row by `row`."""
    (low, high), (lowest, highest) = lows
    k = -(-x.shape[1] // 4) * 4
    laid = np.zeros((-(-len(w) // CHUNK), k // 4, CHUNK, 4), np.uint8)
    lay_quads(w, lowest, laid)
    rows, first = np.empty((len(x), k), np.int8), np.empty(len(x), np.int32)
    lay_rows(x, shift_of(low, high), lowest, rows, first)
    many, out = pairs_that_fit(highest - lowest, low, high), np.zeros((len(x), len(w)), np.int64)
    for chunk in range(len(laid)):
        for r in range(0, len(x), 4):
            room = np.empty(ROOM, np.uint8)
            flat = rows.reshape(-1).view(np.uint8)
            (row if r == len(x) - 1 else tile)(flat, r, k, laid[chunk].reshape(-1), many, room)
            into = out[r : r + 4, CHUNK * chunk : CHUNK * (chunk + 1)]
            into[...] = room.view(np.int32).reshape(4, CHUNK)[: len(into), : into.shape[1]]
    return out + first[:, None] + shift_of(low, high) * w.sum(axis=1, dtype=np.int64)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("seen", ROWS)
@settings(deadline=None, max_examples=4)
@given(size=sizes)
def test_four_products_joined_to_a_sum_are_exact_for_all_bytes(weight, seen, size):
    """The tile of hosts with VNNI, by its own instruction there and by plain steps elsewhere."""
    x, w = drawn(size, weight, seen)
    found = tile_by_tile(quads._joined_tile, quads._joined_row, x, w, (ROWS[seen], WEIGHTS[weight]))
    assert (found == x.astype(np.int64) @ w.astype(np.int64).T).all()


@pytest.mark.parametrize(
    ("span", "seen", "there"),
    [(1, (0, 255), 127), (15, (-8, 7), 136), (15, (-128, 127), 8), (127, (0, 255), 1), (255, (0, 255), 0)],
)
def test_as_many_pairs_are_added_as_16_bits_hold(span, seen, there):
    assert pairs_that_fit(span, *seen) == there
    widest = max(abs(end - shift_of(*seen)) for end in seen)
    assert there * 2 * span * widest <= 32767 < (there + 1) * 2 * span * widest
    if cpu.compiled() and "avx2" in cpu.features():
        assert fits(span, *seen) == (there > 0 or quads.VNNI)


def test_numbers_that_no_byte_holds_are_not_multiplied_as_bytes():
    assert not fits(256, -8, 7)
    assert not fits(15, -256, 255)


_TWINS = """
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from engine.kernels import cpu
cpu.features = lambda: frozenset({features})
from engine.kernels import quads
from engine.kernels.levels import pack_planes
from engine.kernels.whole import WHOLE_KERNELS, Levels, WholeWeights
assert (quads.VNNI, quads.WIDTH) == {expected}
rng = np.random.default_rng(0)
seen, levels = Levels((1, 2, 4, -8)), Levels((1, -2))
x = rng.integers(-8, 8, (6, 37)).astype(np.int16)
w = rng.integers(-2, 2, (35, 37)).astype(np.int16)
planes = np.zeros((2, 35, 1), np.uint64)
pack_planes(w, False, planes)
for key in WHOLE_KERNELS:
    weights, out = WholeWeights(planes, levels, 37, ranks=((1, (key,)),)), np.empty((6, 35), np.int32)
    weights.dot(x, seen, out)
    assert (out == x.astype(int) @ w.T).all(), key
    print(key, weights.way(6, seen))
"""


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx2"}, (False, 32)),
        ({"avx2", "avxvnni"}, (True, 32)),
        ({"avx2", "avx512vnni"}, (True, 64)),
    ],
)
def test_the_twins_of_every_layout_multiply_exactly(features, expected):
    """With the compiler off, as if the host had such features: layouts for 512 bits, too."""
    done = subprocess.run(
        [sys.executable, "-c", _TWINS.format(features=features, expected=expected)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert not done.stderr
    assert "bytes bytes" in done.stdout
