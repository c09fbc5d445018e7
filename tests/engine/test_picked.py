"""kernels/picked.py and kernels/turned.py beside NumPy: rows of few bits, of many, limits past all counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import picked
from engine.kernels.signs import aligned
from engine.kernels.stack import LISTED
from engine.runtime.stack import SignLayer, Stack
from engine.runtime.thresholds import packed_bits


def packed_rows(bits):
    return np.stack([packed_bits(row) for row in bits])


def drawn(seed, n, inputs, outputs, share):
    rng = np.random.default_rng(seed)
    x, weights = rng.random((n, inputs)) < share, rng.random((outputs, inputs)) < rng.random()
    limits = rng.integers(0, inputs + 2, outputs)
    limits[: outputs // 2] = np.clip(rng.normal(inputs / 2, 2, outputs // 2), 0, inputs + 1).astype(int)
    return x, weights, limits


def signs_of(x, weights, limits):
    inputs, outputs = x.shape[1], len(weights)
    held, offset, planes = picked.lay(packed_rows(weights), inputs, limits)
    store = aligned(len(held))
    store[:] = held
    out = np.full((len(x), -(-outputs // 64)), 2**64 - 1, np.uint64)
    room = aligned(32 * -(-outputs // picked.COLUMN) * planes)
    rows = packed_rows(x)
    lookups, listed = picked.tables(), aligned(LISTED)
    picked.signs_picked(lookups, rows, inputs, outputs, offset, planes, store, listed, room, out)
    return out


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 150), st.integers(1, 300), st.sampled_from([0, 0.1, 0.5, 0.9, 1]))
def test_that_signs_are_those_of_counted_differences(seed, inputs, outputs, share):
    x, weights, limits = drawn(seed, 3, inputs, outputs, share)
    expected = (x[:, None] != weights).sum(2) < limits
    assert (signs_of(x, weights, limits) == packed_rows(expected)).all()


@pytest.mark.parametrize("inputs", [1024, 3000])
def test_that_counters_hold_what_many_inputs_add_up_to(inputs):
    x, weights, limits = drawn(1, 4, inputs, 70, 0.5)
    x[0], weights[0], weights[1], limits[:2] = True, True, False, (1, inputs)
    expected = (x[:, None] != weights).sum(2) < limits
    assert (signs_of(x, weights, limits) == packed_rows(expected)).all()


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_that_records_in_lanes_get_the_signs_they_get_alone(share):
    x, first, limits = drawn(2, 150, 130, 190, share)
    _, second, more = drawn(3, 1, 190, 66, 0.5)
    layers = tuple(
        SignLayer(name, packed_rows(w), w.shape[1], m)
        for name, w, m in (("a", first, limits), ("b", second, more))
    )
    for stack in (Stack(("a", "b"), layers, 0, 1), Stack(("a",), layers[:1], 0, 1)):
        alone, together = stack._by_picking(150), stack._many(150)
        for n in (1, 40, 64, 100, 150):
            slots, other = [packed_rows(x[:n]), None], [packed_rows(x[:n]), None]
            alone(slots, n)
            together(other, n)
            assert (slots[1] == other[1]).all()
        between = (x[:, None] != first).sum(2) < limits
        signs = (between[:, None] != second).sum(2) < more if len(stack.layers) == 2 else between
        assert (other[1] == packed_rows(signs)).all()
