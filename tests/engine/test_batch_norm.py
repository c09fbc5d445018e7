"""bnn/batch_norm.py: finite differences, and the folded form against the definition."""

import numpy as np
import pytest

from engine.bnn.batch_norm import BatchNorm
from engine.kernels.threads import workers
from engine.node import Moment
from engine.ports import Spec

N, K = 16, 5
SPEC = Spec("real", (K,))


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    node = BatchNorm()
    weights = node.start(rng, SPEC)
    weights["gamma"][:] = rng.uniform(0.5, 2, K)
    weights["beta"][:] = rng.standard_normal(K)
    return (
        node,
        weights,
        rng.standard_normal((N, K)).astype(np.float32),
        rng.standard_normal((N, K)).astype(np.float32),
    )


def test_gradients_pass_finite_differences(case):
    node, weights, x, dy = case
    operator = node.operator(weights, N, SPEC)
    operator.execute(x)
    (dx,) = (g.copy() for g in operator.gradient(dy))
    grads = {p.name: p.grad.copy() for p in operator.parameters()}

    def value(at):
        normal = (at - at.mean(0)) / np.sqrt(at.var(0) + 1e-5)
        return float(((weights["gamma"] * normal + weights["beta"]) * dy).sum())

    wide = x.astype(np.float64)
    for row, column in ((0, 0), (3, 2), (N - 1, K - 1)):
        moved = wide.copy()
        moved[row, column] += 1e-4
        up = value(moved)
        moved[row, column] -= 2e-4
        assert (up - value(moved)) / 2e-4 == pytest.approx(float(dx[row, column]), abs=1e-3)
    normal = (wide - wide.mean(0)) / np.sqrt(wide.var(0) + 1e-5)
    assert np.allclose(grads["gamma"], (dy * normal).sum(0), atol=1e-4)
    assert np.allclose(grads["beta"], dy.sum(0), atol=1e-4)


def test_shipping_folds_the_running_statistics(case):
    node, weights, x, _ = case
    operator = node.operator(weights, N, SPEC)
    for _ in range(200):
        operator.execute(x)
    assert np.allclose(weights["mean"], x.mean(0), atol=1e-4)
    assert np.allclose(weights["variance"], x.var(0, ddof=1), rtol=1e-3)
    (y,) = node.predictor(node.pack(weights, SPEC), SPEC)(x)
    normal = (x - weights["mean"]) / np.sqrt(weights["variance"] + 1e-5)
    assert np.allclose(y, weights["gamma"] * normal + weights["beta"], atol=1e-4)


def test_without_affine_nothing_is_trained(case):
    _, weights, _, _ = case
    assert BatchNorm(affine=False).operator(weights, N, SPEC).parameters() == ()


def test_where_nothing_is_learned_it_gives_what_ships_and_remembers_nothing():
    rng = np.random.default_rng(5)
    node, spec = BatchNorm(), Spec("real", (6,))
    weights = node.start(rng, spec)
    operator = node.operator(weights, 8, spec)
    for _ in range(4):
        operator.execute(rng.standard_normal((8, 6)).astype(np.float32) * 3 + 1)
    kept = {name: array.copy() for name, array in weights.items()}
    operator.moment = Moment(learning=False)
    x = rng.standard_normal((5, 6)).astype(np.float32)
    (out,) = operator.execute(x)
    (shipped,) = node.predictor(node.pack(weights, spec), spec)(x)
    assert np.allclose(out, shipped, atol=1e-6)
    assert all(weights[name].tobytes() == array.tobytes() for name, array in kept.items())


def test_a_map_has_statistics_for_each_channel_over_all_its_places():
    shape = (4, 3, 5)
    rng = np.random.default_rng(4)
    x, dy = (rng.standard_normal((N, *shape)).astype(np.float32) for _ in range(2))
    node, rows = BatchNorm(), (N * 12, 5)
    made = [node.start(rng, Spec("real", s)) for s in (shape, (5,))]
    whole = node.operator(made[0], N, Spec("real", shape))
    flat = node.operator(made[1], N * 12, Spec("real", (5,)))
    assert np.allclose(whole.execute(x)[0].reshape(rows), flat.execute(x.reshape(rows))[0], atol=1e-6)
    assert np.allclose(whole.gradient(dy)[0].reshape(rows), flat.gradient(dy.reshape(rows))[0], atol=1e-6)
    packed = [node.pack(w, Spec("real", s)) for w, s in zip(made, (shape, (5,)), strict=True)]
    assert packed[0]["scale"].tobytes() == packed[1]["scale"].tobytes()
    assert node.cost(Spec("real", shape)).weight_bits == 64 * 5


def test_a_large_mean_does_not_spoil_the_variance():
    x = (1000 + np.random.default_rng(0).standard_normal((4096, 3))).astype(np.float32)
    node, spec = BatchNorm(momentum=0.0), Spec("real", (3,))
    weights = node.start(np.random.default_rng(0), spec)
    (y,) = node.operator(weights, 4096, spec).execute(x)
    assert np.allclose(weights["variance"], x.astype(np.float64).var(0, ddof=1), rtol=1e-3)
    assert np.allclose(y.std(0), 1, atol=1e-2)


def test_a_file_from_before_there_were_maps_has_statistics_for_each_element():
    assert BatchNorm.of({"momentum": 0.9, "affine": True}).channels(Spec("real", (4, 5))) == 20
    assert BatchNorm.of(BatchNorm().values()).channels(Spec("real", (4, 5))) == 5


@pytest.mark.parametrize("channels", [1, 3, 32, 200])
def test_many_rows_have_their_statistics_and_gradients_on_any_number_of_threads(channels):
    rng, n, shape = np.random.default_rng(0), 300, (9, 8, channels)
    node, spec = BatchNorm(), Spec("real", shape)
    x = (3 + rng.standard_normal((n, *shape))).astype(np.float32)
    dy = rng.standard_normal((n, *shape)).astype(np.float32)
    found = []
    for threads, spare in ((1, False), (2, False), (3, True)):
        operator = node.operator(node.start(rng, spec), n, spec)
        operator.grad_spare = spare
        with workers(threads):
            (y,) = operator.execute(x)
            (dx,) = operator.gradient(dy.copy())
        grads = [p.grad.tobytes() for p in operator.parameters()]
        found.append((y.tobytes(), *grads))
        wide, g = x.reshape(-1, channels).astype(np.float64), dy.reshape(-1, channels).astype(np.float64)
        deviation = np.sqrt(wide.var(0) + 1e-5)
        normal = (wide - wide.mean(0)) / deviation
        wanted = (g - g.mean(0) - normal * (g * normal).mean(0)) / deviation
        assert np.allclose(y.reshape(-1, channels), normal, atol=1e-5)
        assert np.allclose(dx.reshape(-1, channels), wanted, atol=1e-5)
    assert found[0] == found[1] == found[2]
