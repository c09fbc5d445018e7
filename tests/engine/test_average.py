"""train/average.py: running means, and the patience that keeps the best epoch."""

import numpy as np

from engine.train.average import Average, Patience


def test_a_mean_follows_floats_alone_and_can_go_on():
    weights = {
        "a": {"w": np.zeros(3, np.float32), "count": np.zeros(3, np.int64)},
        "b": {"w": np.zeros(3, np.float32)},
    }
    mean = Average(weights, ["a"], 0.5)
    assert {n: set(arrays) for n, arrays in mean.arrays.items()} == {"a": {"w"}}
    want = 0.0
    for step in range(1, 20):
        weights["a"]["w"][:] = step
        mean.step()
        keep = min(0.5, (1 + step) / (10 + step))
        want = keep * want + (1 - keep) * step
    assert np.allclose(mean.arrays["a"]["w"], want, rtol=1e-5)
    over = mean.over()
    assert over["a"]["w"] is mean.arrays["a"]["w"]
    assert over["a"]["count"] is weights["a"]["count"]
    assert over["b"] == weights["b"]
    other = Average(weights, ["a"], 0.5)
    other.restore({"a": {"w": mean.arrays["a"]["w"].copy()}}, mean.steps)
    for one in (mean, other):
        weights["a"]["w"][:] = 77
        one.step()
    assert mean.arrays["a"]["w"].tobytes() == other.arrays["a"]["w"].tobytes()


def test_patience_keeps_the_first_of_the_best_and_is_over_when_it_waited():
    weights = {"a": {"w": np.zeros(1, np.float32)}}
    patience = Patience(2)
    for epoch, accuracy in enumerate([0.5, 0.7, 0.7], start=1):
        weights["a"]["w"][:] = epoch
        patience.see(accuracy, epoch, weights)
        assert not patience.over
    patience.see(0.6, 4, weights)
    assert patience.over
    assert (patience.epoch, patience.accuracy, patience.waited) == (2, 0.7, 2)
    assert patience.weights["a"]["w"].tolist() == [2]
    assert patience.state() == {"accuracy": 0.7, "epoch": 2, "waited": 2}


def test_no_patience_keeps_nothing_and_is_never_over():
    patience = Patience(0)
    patience.see(0.5, 1, {"a": {"w": np.zeros(1, np.float32)}})
    assert not patience.over
    assert patience.weights == {}
