"""weights/lns.py, mapping.py: the network against plain loops, its gradients, noise of labels, its use."""

from itertools import product

import numpy as np
import pytest
from quantizer_nets import adam
from tests_wiring import wired

from engine.bnn.conv import Conv2d
from engine.bnn.dense import Dense
from engine.bnn.weights import lns
from engine.bnn.weights.lns import NOISE, NoisySupervision, supervision
from engine.bnn.weights.mapping import LEARNED
from engine.catalog import NODES as N
from engine.files.project import Project, probed, save_project
from engine.ports import Spec
from engine.precision import PRECISIONS
from engine.settings import Training
from engine.train.loop import train
from engine.train.progress import BatchDone, Finished

AXES = [(3, 3, 4), (2, 2, 3), (5, 2), (3, 3, 3, 1), ()]
every_kernel = pytest.mark.parametrize("axes", AXES, ids=str)


def drawn(axes, outputs=6, dtype=np.float32, seed=0):
    """Return a quantizer of drawn filters whose network is drawn too."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((outputs, int(np.prod(axes or (10,)))))
    arrays = {"weight": w, **NoisySupervision.start_kernels(PRECISIONS["1"], w, axes)}
    for name in LEARNED:
        arrays[name] = arrays[name] + 0.3 * rng.standard_normal(arrays[name].shape)
    arrays = {name: array.astype(dtype) for name, array in arrays.items()}
    return NoisySupervision(PRECISIONS["1"], arrays, "clipped")


def convolved(maps, kernel):
    """Return a convolution with padding, place by place and tap by tap, of {place: (outputs, channels)}."""
    reach = range(-1, 2) if len(kernel) > 1 else (0,)
    out = {}
    for at in maps:
        taps = product(reach, repeat=len(at))
        there = [tuple(np.add(at, step)) for step in taps]
        out[at] = sum(maps[p] @ kernel[t] for t, p in enumerate(there) if p in maps)
    return out


def looped(arrays, axes):
    """Return q of every filter by its definition, in double precision."""
    w = arrays["weight"].astype(np.float64)
    v = w / np.abs(w).mean(axis=1, keepdims=True)
    shape = axes or (1, w.shape[1])
    places = list(np.ndindex(*shape[:-1]))
    cells = v.reshape(len(v), len(places), shape[-1])
    maps = {at: cells[:, i] for i, at in enumerate(places)}
    for layer in (1, 2):
        maps = convolved(maps, arrays[f"weight_map_{layer}"].astype(np.float64))
        every = np.concatenate(list(maps.values()))
        mean, deviation = every.mean(axis=0), np.sqrt(every.var(axis=0) + 1e-5)
        gain, shift = arrays[f"weight_gain_{layer}"], arrays[f"weight_shift_{layer}"]
        maps = {at: np.maximum((m - mean) / deviation * gain + shift, 0) for at, m in maps.items()}
    maps = convolved(maps, arrays["weight_map_3"].astype(np.float64))
    return v + np.stack([maps[at] for at in places], axis=1).reshape(v.shape)


@every_kernel
def test_the_network_is_three_convolutions_over_the_kernel(axes):
    quantizer = drawn(axes)
    wanted = looped(quantizer.arrays, axes)
    found = quantizer.mapped(quantizer.arrays["weight"])
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)
    counted = quantizer.quantize(quantizer.arrays["weight"])
    sure = np.abs(wanted) > 1e-2
    assert sure.mean() > 0.9
    assert (counted.values[sure] == np.sign(wanted[sure])).all()
    np.testing.assert_allclose(counted.scale, np.abs(quantizer.arrays["weight"]).mean(axis=1), rtol=1e-5)
    turned = (np.sign(wanted) != np.sign(quantizer.arrays["weight"])).mean()
    assert quantizer.metrics()["turned"] == pytest.approx(turned, abs=0.05)
    assert turned > 0.05


@every_kernel
@pytest.mark.parametrize("pull", [0.0, 0.05], ids=["loss", "supervised"])
def test_the_gradients_of_filters_and_network_pass_finite_differences(axes, pull, monkeypatch):
    monkeypatch.setattr(lns, "PULL", pull)
    # It is float32, which is too coarse for short steps.
    monkeypatch.setattr(lns, "mean_size", lambda w: np.abs(w).mean(axis=1))
    quantizer = drawn(axes, dtype=np.float64, seed=1)
    quantizer.grads = {name: np.zeros_like(quantizer.arrays[name]) for name in LEARNED}
    arrays, rng = quantizer.arrays, np.random.default_rng(2)
    pulls = rng.uniform(-1, 1, arrays["weight"].shape)  # within what the clip leaves alone
    labels = np.where(arrays["weight"] >= 0, 1.0, -1.0)

    def value():
        q = quantizer.mapped(arrays["weight"])
        return (q * pulls).sum() + pull * supervision(q, labels, NOISE)[0].sum()

    quantizer.quantize(arrays["weight"])
    given = pulls / np.abs(arrays["weight"]).mean(axis=1, keepdims=True)  # of the weights as they count
    found = {"weight": quantizer.gradient(arrays["weight"], given), **quantizer.grads}
    for name, array in arrays.items():
        for _ in range(5):
            at = tuple(rng.integers(0, side) for side in array.shape)
            kept, step, ends = array[at], 1e-6, []
            for sign in (1, -1):
                array[at] = kept + sign * step
                ends.append(value())
            array[at] = kept
            slope = (ends[0] - ends[1]) / (2 * step)
            assert found[name][at] == pytest.approx(slope, rel=1e-4, abs=1e-5), (name, at)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_over_flipped_labels_the_loss_is_that_of_the_right_ones(noise):
    q = np.linspace(-2, 2, 9)
    for right in (-1.0, 1.0):
        straight, turned = supervision(q, right, noise), supervision(q, -right, noise)
        mean, slope = ((1 - noise) * a + noise * b for a, b in zip(straight, turned, strict=True))
        np.testing.assert_allclose(mean, (q - right) ** 2, atol=1e-6)
        np.testing.assert_allclose(slope, 2 * (q - right), atol=1e-6)


def test_it_begins_with_the_signs_and_a_model_keeps_nothing_of_the_network():
    spec = Spec("real", (5, 5, 3))
    plain = Conv2d(filters=4, weight_bits="1", weight_quantizer="magnitude_aware")
    node = Conv2d(filters=4, weight_bits="1", weight_quantizer="lns")
    weights = node.start(np.random.default_rng(0), spec)
    assert weights["weight_map_1"].shape == (9, 3, 6)
    assert weights["weight_map_2"].shape == (9, 6, 6)
    assert weights["weight_map_3"].shape == (9, 6, 3)
    packed, wanted = node.pack(weights, spec), plain.pack(plain.start(np.random.default_rng(0), spec), spec)
    assert {k: a.tobytes() for k, a in packed.items()} == {k: a.tobytes() for k, a in wanted.items()}
    assert node.cost(spec) == plain.cost(spec)
    wide = Dense(units=3, weight_bits="1", weight_quantizer="lns").start(
        np.random.default_rng(0), Spec("real", (300,))
    )
    assert wide["weight_map_2"].shape == (1, 128, 128)


def test_the_network_learns_signs_that_no_weight_says_alone():
    rng = np.random.default_rng(3)
    w = rng.standard_normal((40, 6)).astype(np.float32)
    wanted = np.sign(w) * np.sign(w[:, :1])  # the first weight says whether the others are turned
    quantizer = NoisySupervision(PRECISIONS["1"], {"weight": w, **NoisySupervision.start(None, w)}, "clipped")
    moments = {}
    for step in range(1, 201):
        quantizer.quantize(w)
        quantizer.gradient(w, ((quantizer.mapped(w) - wanted) / 2).astype(np.float32))
        for p in quantizer.parameters():
            adam(p, moments.setdefault(p.name, [0.0, 0.0]), step)
    values = quantizer.shipped(w).values
    assert (np.sign(w) == wanted).mean() < 0.7
    assert (values == wanted).mean() > 0.97
    assert (quantizer.quantize(w).values == values).all()


def test_convolutions_train_with_it_after_a_stage_of_floats(tmp_path):
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 120)
    x = rng.standard_normal((120, 6, 6)) + 1.5 * np.array([1, -1])[y, None, None] * (np.arange(6) > 2)
    np.savez(tmp_path / "data.npz", x=x.astype(np.float32), y=y)
    graph = wired(
        {
            "data": N["data.npz"](path="data.npz"),
            "split": N["flow.split"](),
            "conv": N["bnn.conv2d"](filters=4, weight_quantizer="lns"),
            "norm": N["bnn.batch_norm"](),
            "flat": N["flow.flatten"](),
            "head": N["bnn.dense"](units=2, weight_quantizer="lns"),
            "out": N["flow.output"](),
        },
        [
            "data.samples -> split.samples",
            "data.labels -> split.labels",
            "split.samples -> conv.in",
            "conv.out -> norm.in",
            "norm.out -> flat.in",
            "flat.out -> head.in",
            "head.out -> out.scores",
            "split.labels -> out.labels",
        ],
    )
    settings = Training(epochs=6, batch=16, rate=0.01, stages="weights", float_epochs=2, middle_epochs=2)
    project = probed(save_project(Project(graph=graph, training=settings, name="p"), tmp_path / "p.polybit"))
    records = list(train(project))
    assert isinstance(records[-1], Finished)
    assert records[-1].accuracy > 0.8
    seen = [r.metrics for r in records if isinstance(r, BatchDone) and "head: turned" in r.metrics]
    assert all(0 <= m["head: turned"] <= 1 for m in seen)
    assert seen
