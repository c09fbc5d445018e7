"""logic/normal.py: the normal form and its plain check."""

import itertools

import numpy as np

from engine.logic.normal import STRUCTURE, AtLeast, NormalForm


def form(*constraints, variables=4, given=0):
    names = tuple(f"v{i}" for i in range(1, variables + 1))
    ones = np.ones(variables, np.int64)
    return NormalForm(names, given, constraints, ("r",), np.zeros(variables, bool), ones)


def test_a_constraint_holds_where_its_weights_reach_the_bound():
    made = form(AtLeast((1, -2, 3), 2), AtLeast((1, -4), 5, (5, 2)), AtLeast((2,), 1, rule=0))
    every = np.array(list(itertools.product((False, True), repeat=4)))
    for values, (two, five, one) in zip(every, made.holds(every), strict=True):
        a, b, c, d = values
        assert two == (int(a) + int(not b) + int(c) >= 2)
        assert five == (5 * int(a) + 2 * int(not d) >= 5)
        assert one == b


def test_its_arrays_lie_beside_each_other():
    made = form(AtLeast((1, -2, 3), 2), AtLeast((1, -4), 5, (5, 2)))
    assert made.offsets.tolist() == [0, 3, 5]
    assert made.literals.tolist() == [1, -2, 3, 1, -4]
    assert made.weights.tolist() == [1, 1, 1, 5, 2]
    assert made.bounds.tolist() == [2, 5]
    assert made.constraints[0].rule == STRUCTURE
    assert not made.constraints[0].clause
    assert AtLeast((1, 2), 1).clause
    assert AtLeast((1, 2), 3, (3, 4)).clause
