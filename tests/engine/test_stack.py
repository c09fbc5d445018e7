"""kernels/stack.py and runtime/stack.py: layers in one call, beside NumPy."""

from itertools import pairwise

import numpy as np
import pytest

from engine.bnn.product import Activation, Product
from engine.kernels.signs import aligned
from engine.kernels.stack import count_scores, stack_plain, stack_shuffle, stack_wide
from engine.kernels.vectors import AVX2
from engine.precision import PRECISIONS
from engine.runtime.stack import Stack, joined, stored
from engine.runtime.steps import Compare, LookUp, Sums
from engine.runtime.thresholds import packed_bits, unpacked_bits

SIZES = (81, 70, 130, 64, 5)


def packed_rows(bits):
    return np.stack([packed_bits(row) for row in bits])


def steps_of(seed, sizes=SIZES):
    """Sums and thresholds of random layers, and what NumPy makes of records."""
    rng = np.random.default_rng(seed)
    steps, numbers, slot = [], [], 0
    for inputs, outputs in pairwise(sizes):
        weights = rng.random((outputs, inputs)) < 0.5
        product = Product(packed_rows(weights), "1", Activation(PRECISIONS["1"], given=True), inputs)
        places = rng.integers(-inputs - 1, inputs + 3, outputs).astype(np.int32)
        places[::3] = rng.integers(-3, 3, len(places[::3]))
        falls = rng.random(outputs) < 0.5
        steps.append(Sums((f"l{slot}",), product, slot, slot + 1))
        steps.append(Compare((f"l{slot}",), slot + 1, slot + 2, places, packed_bits(falls)))
        numbers.append((weights, places, falls))
        slot += 2

    def run(bits):
        for weights, places, falls in numbers:
            sums = (2 * bits.astype(int) - 1) @ (2 * weights.astype(int) - 1).T
            bits = (sums >= places) ^ falls
        return bits

    return steps, run


@pytest.mark.parametrize("batch", [1, 2, 7, 60, 100, 200])
def test_that_a_stack_gives_the_signs_of_its_layers(batch):
    steps, run = steps_of(batch)
    (stack,) = joined(steps, (steps[-1].write,))
    assert isinstance(stack, Stack)
    assert stack.nodes == ("l0", "l2", "l4", "l6")
    bits = np.random.default_rng(1).random((batch, SIZES[0])) < 0.5
    expected = packed_rows(run(bits))
    bound = stack.bind(batch)
    for n in {1, batch}:
        slots = [packed_rows(bits[:n])] + [None] * 8
        bound(slots, n)
        assert (slots[8] == expected[:n]).all()
    for made in _every_way(stack, packed_rows(bits)):
        assert (made == expected).all()


def _every_way(stack, signs):
    n, out = len(signs), np.zeros((len(signs), 1), np.uint64)
    work = aligned(16 * n * 3 + 512 * n)
    for bound in (stack._by_picking(n), stack._many(n)):
        slots = [signs] + [None] * 8
        bound(slots, n)
        assert slots[0] is signs
        yield slots[8].copy()
    if AVX2:
        from engine.kernels.shuffle import tables

        stack_shuffle(signs, tables(), *stored(stack.layers, "shuffle"), 3, work, out)
        yield out.copy()
    stack_wide(signs, *stored(stack.layers, "wide"), 3, work, out)
    yield out.copy()
    stack_plain(signs, *stored(stack.layers, "plain"), 3, work, out)
    yield out


def test_that_signs_which_others_read_too_are_not_swallowed():
    steps, _ = steps_of(0)
    first = steps[1].write
    assert [type(s).__name__ for s in joined(steps, (steps[-1].write, first))] == ["Stack", "Stack"]
    assert [type(s).__name__ for s in joined(steps, (steps[-1].write, steps[0].write))] == [
        "Sums",
        "Compare",
        "Stack",
    ]


def test_that_scores_are_those_of_the_table():
    rng = np.random.default_rng(0)
    x, w = rng.random((9, 70)) < 0.5, rng.random((3, 70)) < 0.5
    table = rng.random((3, 71)).astype(np.float32)
    out = np.empty((9, 3), np.float32)
    count_scores(packed_rows(x), packed_rows(w), table, out)
    counts = (x[:, None] != w).sum(2)
    assert (out == table[np.arange(3), counts]).all()


def test_that_a_table_of_many_outputs_stays_a_table():
    steps, _ = steps_of(0, (40, 100))
    table = np.zeros((100, 41), np.float32)
    look = LookUp(("l0",), 1, 2, table, range(-40, 41, 2), (100,))
    assert joined([steps[0], look], (2,)) == [steps[0], look]
    few, _ = steps_of(0, (40, 3))
    look = LookUp(("l0",), 1, 2, np.arange(123, dtype=np.float32).reshape(3, 41), range(-40, 41, 2), (3,))
    (made,) = joined([few[0], look], (2,))
    x = packed_rows(np.random.default_rng(3).random((5, 40)) < 0.5)
    slots, other = [x, None, None], [x, None, None]
    made.bind(5)(slots, 5)
    few[0].bind(5)(other, 5)
    look.bind(5)(other, 5)
    assert (slots[2] == other[2]).all()
    assert unpacked_bits(x, 40).shape == (5, 40)
