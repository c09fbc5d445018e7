"""bnn/bytewise.py: levels by 1-bit weights against NumPy's whole numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.bytewise import ByteForward
from engine.bnn.product import Activation
from engine.kernels.bits import pack_signs
from engine.kernels.threads import workers
from engine.ports import words_for
from engine.precision import PRECISIONS

sizes = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_the_products_are_exact_at_the_ends_of_the_range(i, j, p, seed):
    rng = np.random.default_rng(seed)
    forward, activation = ByteForward(j, p), Activation(PRECISIONS["8"])
    for _ in range(2):  # weights change from step to step
        levels = rng.choice(np.array([-128, 127, 0], np.int16), (i, p))
        w = rng.standard_normal((j, p)).astype(np.float32)
        signs, out = np.zeros((j, words_for(p)), np.uint64), np.empty((i, j), np.int32)
        pack_signs(w, signs)
        with workers(2):
            forward.sums(levels, signs, activation, out)
        assert (out == levels.astype(np.int64) @ np.where(w >= 0, 1, -1).T).all()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["ternary", "2", "3", "4", "8"]), st.booleans(), st.integers(0, 2**32 - 1))
def test_levels_of_every_width_are_multiplied_exactly(width, unsigned, seed):
    row, rng = PRECISIONS[width], np.random.default_rng(seed)
    unsigned = unsigned and width != "ternary"
    low, high = (0, row.high - row.low) if unsigned else (row.low, row.high)
    levels = rng.choice(np.array([low, high, 0], np.int16), (7, 70))
    w = rng.standard_normal((13, 70)).astype(np.float32)
    signs = np.zeros((13, words_for(70)), np.uint64)
    pack_signs(w, signs)
    activation = Activation(row, unsigned)
    assert ByteForward.meets(PRECISIONS["1"], activation)
    out = np.empty((7, 13), np.int32)
    ByteForward(13, 70).sums(levels, signs, activation, out)
    assert (out == levels.astype(np.int64) @ np.where(w >= 0, 1, -1).T).all()
