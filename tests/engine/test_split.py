"""Split: exact shares, even by class, the same on every machine, and records passed through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.split import TEST, TRAIN, VALIDATION, Split, assign
from engine.node import ShapeError
from engine.ports import Column, Spec

SPECS = (Spec("real", (3,)), Spec("labels", (), classes=("a", "b")))


@settings(deadline=None, max_examples=40)
@given(
    labels=st.lists(st.integers(-1, 4), min_size=1, max_size=200),
    cuts=st.tuples(st.integers(0, 50), st.integers(0, 45)),
    seed=st.integers(0, 2**31 - 1),
)
def test_shares_hold_over_all_and_in_every_class_to_one_record(
    labels, cuts: tuple[int, int], seed: int
) -> None:
    test, validation = cuts
    node = Split(train=100 - test - validation, validation=validation, test=test, seed=seed)
    y = np.array(labels)
    parts = assign(node, y)
    for part, share in ((TRAIN, node.train), (VALIDATION, node.validation), (TEST, node.test)):
        assert abs((parts == part).sum() - len(y) * share / 100) <= 1.01
        for label in np.unique(y):
            of_class = y == label
            assert abs((parts[of_class] == part).sum() - of_class.sum() * share / 100) <= 2.01
    assert (assign(node, y) == parts).all()


def test_the_drawn_parts_are_pinned() -> None:
    labels = np.arange(20) % 3
    expected = [2, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
    assert assign(Split(seed=7), labels).tolist() == expected


def test_the_last_records_can_be_the_test_part() -> None:
    labels = np.arange(1797) % 10
    node = Split(train=56.778, validation=10, test=33.222, test_part="last")
    node.specs(*SPECS, None)
    parts = assign(node, labels)
    assert (parts[1200:] == TEST).all()
    assert not (parts[:1200] == TEST).any()
    assert abs((parts == VALIDATION).sum() - 179.7) < 1
    other = assign(Split(train=56.778, validation=10, test=33.222, test_part="last", seed=1), labels)
    assert (other != parts).any()


def test_shares_must_add_up_to_all() -> None:
    with pytest.raises(ShapeError, match="add up to 110 %, not 100 %") as caught:
        Split(train=80).specs(*SPECS, None)
    assert caught.value.parameter == "train"


def test_records_pass_through_and_the_gradient_comes_back() -> None:
    facts = Spec("facts", (1,), columns=(Column("a"),))
    node = Split()
    assert node.specs(*SPECS, facts) == (*SPECS, facts)
    assert node.specs(*SPECS, None)[2] == Spec("facts", (0,))
    x, y, f = np.ones((2, 3), np.float32), np.zeros(2, np.int64), np.ones((2, 1))
    assert all(a is b for a, b in zip(node.predictor({})(x, y, f), (x, y, f), strict=True))
    assert node.predictor({})(x, y, None)[2].shape == (2, 0)
    operator = node.operator({}, 2, *SPECS, None)
    assert operator.execute(x, y, None)[0] is x
    assert operator.gradient(x, None, None)[0] is x
