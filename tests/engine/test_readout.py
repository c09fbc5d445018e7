"""The spike counter as a node and in training."""

import numpy as np
import pytest

from engine.ports import Spec
from engine.snn.readout import DECODERS, SpikeCounter

SPIKES = np.uint8([[[0, 1, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]]])  # 4 steps, 3 neurons
SPEC = Spec("spikes", (4, 3))


@pytest.mark.parametrize(
    ("decode", "expected"), [("count", [2, 3, 0]), ("rate", [0.5, 0.75, 0]), ("first", [0.75, 1, 0])]
)
def test_spikes_are_read_as_numbers(decode, expected):
    node = SpikeCounter(decode=decode)
    (out,) = node.predictor({}, SPEC)(SPIKES)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, np.float32([expected]))
    np.testing.assert_array_equal(node.operator({}, 5, SPEC).execute(SPIKES)[0], out)


@pytest.mark.parametrize(
    ("decode", "expected"),
    [
        ("count", [[8, 4, 2]] * 4),
        ("rate", [[2, 1, 0.5]] * 4),
        ("first", [[0, 4, 2], [6, 0, 0], [0, 0, 0], [0, 0, 0]]),
    ],
)
def test_gradients_are_those_of_the_formula(decode, expected):
    operator = SpikeCounter(decode=decode).operator({}, 5, SPEC)
    operator.execute(SPIKES)
    (back,) = operator.gradient(np.float32([[8, 4, 2]]))
    np.testing.assert_array_equal(back, np.float32([expected]))


@pytest.mark.parametrize("decode", list(DECODERS))
def test_a_record_reads_the_same_alone_as_in_a_batch(decode):
    x = (np.random.default_rng(0).random((9, 4, 3)) < 0.3).astype(np.uint8)
    read = SpikeCounter(decode=decode).predictor({}, SPEC)
    assert np.concatenate([read(row[None])[0] for row in x]).tobytes() == read(x)[0].tobytes()
