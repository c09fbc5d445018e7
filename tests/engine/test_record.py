"""The record encoder as a node."""

import numpy as np
import pytest

from engine.hdc.record import RecordEncoder
from engine.ports import Spec, words_for

SPEC = Spec("real", (3, 5))


def fitted(node, x):
    spec = Spec("real", x.shape[1:])
    weights = node.fit(node.start(np.random.default_rng(0), spec), x)
    return weights, node.predictor(node.pack(weights, spec), spec)


def distance(a, b, dimension):
    return int(np.bitwise_count(a ^ b).sum()) / dimension


def test_a_record_has_the_same_code_alone_as_in_a_batch():
    x = np.random.default_rng(2).normal(size=(9, 3, 5)).astype(np.float32)
    _, encode = fitted(RecordEncoder(dimension=1000), x)
    together = encode(x)[0]
    assert together.shape == (9, words_for(1000))
    assert np.concatenate([encode(row[None])[0] for row in x]).tobytes() == together.tobytes()


def test_near_records_have_near_codes():
    rng = np.random.default_rng(3)
    x = rng.random((50, 30)).astype(np.float32)
    _, encode = fitted(RecordEncoder(), x)
    base, near, far = encode(np.stack([x[0], x[0] + np.float32(0.03), x[1]]))[0]
    assert distance(base, near, 8192) < 0.5 * distance(base, far, 8192)


def test_background_is_left_out_so_that_unlike_foregrounds_are_unlike():
    x = np.zeros((4, 200), np.float32)
    x[0, :10] = 1
    x[1, 10:20] = 1
    x[2] = 1
    codes = {
        skip: fitted(RecordEncoder(skip=skip, limits="all"), x)[1](x[:2])[0] for skip in ("lowest", "none")
    }
    assert distance(*codes["lowest"], 8192) > 0.45
    assert distance(*codes["none"], 8192) < 0.2


@pytest.mark.parametrize(("limits", "low", "high"), [("feature", [0, -4], [2, 8]), ("all", [-4, -4], [8, 8])])
def test_ranges_are_found_on_the_training_records_and_gaps_are_passed_over(limits, low, high):
    x = np.array([[0, 8], [np.nan, 2], [2, -4]], np.float32)
    weights, _ = fitted(RecordEncoder(dimension=64, limits=limits), x)
    np.testing.assert_array_equal(weights["span"], np.array([low, high], np.float32))


def test_codes_come_from_the_nodes_own_seed():
    items = [
        RecordEncoder(dimension=128, seed=seed).start(np.random.default_rng(draw), SPEC)["items"]
        for seed, draw in ((1, 5), (1, 6), (2, 5))
    ]
    np.testing.assert_array_equal(items[0], items[1])
    assert (items[0] != items[2]).any()


def test_the_counted_storage_is_the_storage():
    node = RecordEncoder(dimension=1000, levels=7)
    packed = node.pack(node.start(np.random.default_rng(0), SPEC), SPEC)
    assert node.cost(SPEC).weight_bits == 8 * sum(a.nbytes for a in packed.values())
    assert node.weight_levels(packed).shape == (15, 1000)
