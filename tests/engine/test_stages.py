"""stages.py: which epochs belong to which stage."""

from itertools import pairwise

import pytest

from engine.errors import TrainError
from engine.stages import ORDERS, stages


def told(*args):
    return [(s.begin, s.end, s.weights, s.activations) for s in stages(*args)]


def test_all_at_once_is_one_stage():
    assert told("none", 7, 0.5, 0.5) == [(0, 7, True, True)]


def test_shares_and_counts_give_epochs():
    assert told("weights", 20, 0.25, 0.25) == [
        (0, 5, False, False),
        (5, 10, True, False),
        (10, 20, True, True),
    ]
    assert told("activations", 20, 3, 0.1) == [(0, 3, False, False), (3, 5, False, True), (5, 20, True, True)]


def test_stages_of_no_epoch_are_left_out():
    assert told("activations", 10, 0, 4) == [(0, 4, False, True), (4, 10, True, True)]
    assert told("weights", 10, 0, 0) == [(0, 10, True, True)]


@pytest.mark.parametrize("order", ORDERS)
def test_every_epoch_is_in_one_stage_and_the_last_quantizes_all(order):
    found = stages(order, 9, 0.3, 2)
    assert found[0].begin == 0
    assert all(a.end == b.begin for a, b in pairwise(found))
    assert found[-1].end == 9
    assert found[-1].whole
    assert len({s.words for s in found}) == len(found)


def test_the_last_stage_needs_an_epoch():
    with pytest.raises(TrainError, match="none is left"):
        stages("weights", 10, 5, 5)
