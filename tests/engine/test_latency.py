"""The latency encoder as a node."""

import math

import numpy as np
import pytest

from engine.ports import Spec
from engine.snn.latency import LatencyEncoder


def encoder(node, features):
    spec = Spec("real", (features,))
    return node.predictor(node.pack(node.start(np.random.default_rng(0), spec), spec), spec)


def time_of(node, x):
    """Return the step of the spike by the formula, or None."""
    if x <= node.threshold:
        return None
    if node.scheme == "log":
        t = node.tau * math.log(x / (x - node.threshold))
    else:
        t = (node.steps - 1) * (1 - x) / (1 - node.threshold)
    return None if t >= node.steps - 0.5 else round(t)


@pytest.mark.parametrize("scheme", ["linear", "log"])
@pytest.mark.parametrize(
    ("steps", "threshold", "tau"), [(16, 0.05, 8.0), (5, 0.3, 2.0), (40, 0.6, 20.0), (1, 0.1, 1.0)]
)
def test_spikes_come_at_the_time_of_the_formula(scheme, steps, threshold, tau):
    node = LatencyEncoder(steps=steps, scheme=scheme, threshold=threshold, tau=tau, limits="given")
    x = np.random.default_rng(1).random((1, 400)).astype(np.float32)
    spikes = encoder(node, 400)(x)[0][0]
    assert spikes.shape == (steps, 400)
    for c in range(400):
        expected = time_of(node, float(x[0, c]))
        assert list(np.flatnonzero(spikes[:, c])) == ([] if expected is None else [expected])


def test_linear_time_runs_from_the_first_step_to_the_last():
    node = LatencyEncoder(steps=9, threshold=0.2, limits="given")
    spikes = encoder(node, 4)(np.float32([[1, 0.6, 0.2001, 0.2]]))[0][0]
    assert [list(np.flatnonzero(column)) for column in spikes.T] == [[0], [4], [8], []]


def test_nothing_gives_no_spike_even_without_a_threshold():
    for scheme in ("linear", "log"):
        node = LatencyEncoder(scheme=scheme, threshold=0.0, limits="given")
        assert not encoder(node, 1)(np.float32([[0]]))[0].any()


def test_a_record_spikes_the_same_alone_as_in_a_batch():
    x = np.random.default_rng(2).normal(size=(15, 7)).astype(np.float32)
    node, spec = LatencyEncoder(), Spec("real", (7,))
    weights = node.fit(node.start(np.random.default_rng(0), spec), x)
    encode = node.predictor(node.pack(weights, spec), spec)
    together = encode(x)[0]
    assert together.any()
    assert np.concatenate([encode(row[None])[0] for row in x]).tobytes() == together.tobytes()


def test_no_gradient_passes_a_spike_time():
    node, spec = LatencyEncoder(steps=3), Spec("real", (4,))
    operator = node.operator(node.start(np.random.default_rng(0), spec), 2, spec)
    (spikes,) = operator.execute(np.ones((2, 4), np.float32))
    assert operator.gradient(np.ones(spikes.shape, np.float32)) == (None,)
