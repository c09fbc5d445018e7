"""activations/reinforce.py: without bias, by counting every draw; its baseline; the losses that it hears."""

from itertools import product

import numpy as np
import pytest
from tests_wiring import wired

from engine.bnn.activations.reinforce import Reinforce, advantage
from engine.bnn.dense import Dense
from engine.catalog import NODES as N
from engine.files.project import Project, probed, save_project
from engine.losses import cross_entropy
from engine.node import Moment
from engine.ports import Spec
from engine.settings import Training
from engine.train.loop import train
from engine.train.progress import BatchDone, Finished

RECORDS, TIMES, INPUTS, UNITS, CLASSES = 4, 25, 3, 3, 3
DRAWS = 400


def two_drawn_layers():
    """Return records, labels, three dense layers, of which the last two draw their inputs, and weights."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((RECORDS, INPUTS)).astype(np.float32)
    floats = {"weight_bits": "32", "activation_bits": "1", "activation_quantizer": "reinforce"}
    nodes = [
        Dense(units=UNITS, weight_bits="32"),
        Dense(units=UNITS, **floats),
        Dense(units=CLASSES, **floats),
    ]
    weights = [n.start(rng, Spec("real", (INPUTS,))) for n in nodes]
    for arrays in weights:
        arrays["weight"] *= 2
        arrays["bias"][:] = rng.standard_normal(len(arrays["bias"]))
    return x, rng.integers(0, CLASSES, RECORDS), nodes, weights


def exact(x, labels, weights):
    """Return the expected mean loss, every pair of draws counted by its probability, in double precision."""
    (w1, c1), (w2, c2), (w3, c3) = (
        (a["weight"].astype(np.float64), a["bias"].astype(np.float64)) for a in weights
    )
    states = np.array(list(product((-1.0, 1.0), repeat=UNITS)))

    def chances(a):
        return np.prod(1 / (1 + np.exp(-states * a[..., None, :])), axis=-1)

    first = chances(x.astype(np.float64) @ w1.T + c1)  # (records, states)
    second = chances(states @ w2.T + c2)  # (states, states)
    scores = states @ w3.T + c3
    losses = np.log(np.exp(scores).sum(axis=1))[:, None] - scores  # (states, classes)
    return np.mean([p @ second @ losses[:, y] for p, y in zip(first, labels, strict=True)])


def slopes(x, labels, weights, layer, name, step=1e-3):
    """Return the gradient of the expected loss in one array, by central differences."""
    array = weights[layer][name]
    out = np.zeros(array.shape)
    for at in np.ndindex(array.shape):
        kept, found = array[at], []
        for sign in (1, -1):
            array[at] = kept + np.float32(sign * step)
            found.append((float(array[at]), exact(x, labels, weights)))
        array[at] = kept
        out[at] = (found[0][1] - found[1][1]) / (found[0][0] - found[1][0])
    return out


def test_the_mean_over_many_draws_is_the_gradient_of_the_expected_loss():
    x, labels, nodes, weights = two_drawn_layers()
    batch, targets = np.tile(x, (TIMES, 1)), np.tile(labels, TIMES)
    spec, told = Spec("real", (INPUTS,)), np.empty(len(batch), np.float32)
    operators = [n.operator(w, len(batch), spec) for n, w in zip(nodes, weights, strict=True)]
    for i, operator in enumerate(operators):
        operator.moment, operator.rng = Moment(losses=told), np.random.default_rng([7, i])
    names = [(layer, name) for layer in range(3) for name in ("weight", "bias")]
    total = {key: np.zeros((2, *weights[key[0]][key[1]].shape)) for key in names}
    for _ in range(DRAWS):
        value = batch
        for operator in operators:
            (value,) = operator.execute(value)
        told[...], grad = cross_entropy(value, targets)
        for layer in reversed(range(3)):
            (grad,) = operators[layer].gradient(grad)
            for p in operators[layer].parameters():
                total[layer, p.name] += p.grad, p.grad.astype(np.float64) ** 2
    for (layer, name), (first, second) in total.items():
        mean = first / DRAWS
        error = np.sqrt((second / DRAWS - mean**2) / DRAWS)
        wanted = slopes(x, labels, weights, layer, name)
        assert np.abs(wanted).max() > 4 * error.max()  # else nothing would be shown
        assert (np.abs(mean - wanted) < 4 * error + 1e-4).all(), (layer, name)


def test_the_baseline_takes_noise_away_and_nothing_else():
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((64, 5)).astype(np.float32), rng.standard_normal(5)
    quantizer = Reinforce(None, {}, "clipped")
    found = {True: [], False: []}
    for _ in range(1500):
        words = quantizer.quantize(x, Spec("bits", (5,), "1").array(64))
        drawn = (words >> np.arange(5, dtype=np.uint64)) & np.uint64(1) == 1
        losses = (3 + np.where(drawn, 1, -1) @ weight).astype(np.float32)
        quantizer.moment = Moment(losses=losses)
        found[True].append(quantizer.gradient(x, x))
        p = 1 / (1 + np.exp(-x.astype(np.float64)))
        found[False].append(losses[:, None] / 64 * (drawn - p))
    with_it, without = (np.array(found[key]) for key in (True, False))
    exact = weight * (1 - np.tanh(x / 2) ** 2) / 2 / 64  # the loss is linear: the slope of the mean sign
    for each in (with_it, without):
        assert (np.abs(each.mean(axis=0) - exact) < 4.5 * each.std(axis=0) / np.sqrt(len(each))).all()
    assert with_it.var(axis=0).mean() < 0.5 * without.var(axis=0).mean()


def test_a_loss_is_compared_with_the_mean_of_all_others():
    losses = np.random.default_rng(2).gamma(1, 1, 7).astype(np.float32)
    wanted = [losses[i] - np.delete(losses, i).mean() for i in range(7)]
    np.testing.assert_allclose(advantage(losses), wanted, rtol=1e-5, atol=1e-6)
    assert advantage(losses[:1]).tolist() == losses[:1].tolist()


def test_numbers_far_out_draw_surely_and_learn_nothing():
    quantizer = Reinforce(None, {}, "clipped")
    x = np.repeat(np.float32([[-1e30, -200, 200, 1e30]]), 3, axis=0)
    words = quantizer.quantize(x, Spec("bits", (4,), "1").array(3))
    assert (words & np.uint64(15)).ravel().tolist() == [12, 12, 12]
    quantizer.moment = Moment(losses=np.float32([1, 5, 9]))
    assert not quantizer.gradient(x, x).any()


def drawn_project(folder, **settings):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((150, 6)).astype(np.float32)
    np.savez(folder / "data.npz", x=x, y=(x[:, 0] + x[:, 1] > 0).astype(np.int64))
    graph = wired(
        {
            "data": N["data.npz"](path="data.npz"),
            "split": N["flow.split"](),
            "first": N["bnn.dense"](units=8, weight_bits="32"),
            "second": N["bnn.dense"](
                units=2, weight_bits="32", activation_bits="1", activation_quantizer="reinforce"
            ),
            "rules": N["logic.rules"](rules="rule never: class != 0"),
            "out": N["flow.output"](),
        },
        [
            "data.samples -> split.samples",
            "data.labels -> split.labels",
            "split.samples -> first.in",
            "first.out -> second.in",
            "second.out -> rules.scores",
            "rules.scores -> out.scores",
            "split.labels -> out.labels",
        ],
    )
    training = Training(**{"epochs": 2, "batch": 16, "rate": 0.01, **settings})
    return probed(save_project(Project(graph=graph, training=training, name="drawn"), folder / "p.polybit"))


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "squared_hinge", "smoothing": 0.1},
        {"augment": "mixup 0.3"},
        {"teacher": "self", "teacher_epochs": 1, "label_weight": 0.5},
        {"rule_weight": 2.0},
    ],
    ids=["hinge", "mixup", "teacher", "rules"],
)
def test_a_training_tells_every_record_its_loss(tmp_path, monkeypatch, settings):
    heard, right = [], Reinforce.gradient

    def listening(self, x, grad):
        heard.append(self.moment.losses.copy())
        return right(self, x, grad)

    monkeypatch.setattr(Reinforce, "gradient", listening)
    records = list(train(drawn_project(tmp_path, **settings)))
    steps = [r for r in records if isinstance(r, BatchDone) and r.stage == "gradient"]
    assert len(steps) == len(heard) > 4
    assert [len(h) for h in heard[:2]] == [16, 16]
    np.testing.assert_allclose([h.mean() for h in heard], [s.loss for s in steps], rtol=1e-5)
    assert all(h.std() > 0 for h in heard)


def test_it_learns_in_a_training_and_ships_signs(tmp_path):
    *_, last = train(drawn_project(tmp_path, epochs=40))
    assert isinstance(last, Finished)
    assert last.accuracy_raw > 0.85
    again = last.program.predict(np.zeros((1, 6), np.float32))
    assert again == last.program.predict(np.zeros((1, 6), np.float32))


def test_every_place_of_a_map_hears_the_loss_of_its_record():
    x = np.random.default_rng(5).standard_normal((3, 2, 2, 3)).astype(np.float32)
    found = []
    for shape in (x.shape, (3, 12)):
        quantizer = Reinforce(None, {}, "clipped")
        quantizer.quantize(x.reshape(shape), Spec("bits", (12,), "1").array(3))
        quantizer.moment = Moment(losses=np.float32([0.2, 1.5, 3.0]))
        found.append(quantizer.gradient(x.reshape(shape), x.reshape(shape)))
    assert found[0].shape == x.shape
    assert found[0].tobytes() == found[1].tobytes()
