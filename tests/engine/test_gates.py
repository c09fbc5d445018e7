"""Gates, blur pooling and joined channels, against plain NumPy and finite differences."""

import numpy as np
import pytest
from gradients import assert_gradients

from engine.bnn.blur_pool import BlurPool
from engine.bnn.gate import ChannelGate
from engine.bnn.info_recoupling import InfoRecoupling
from engine.bnn.squeeze_excite import SqueezeExcite
from engine.flow.concatenate import Concatenate
from engine.node import ShapeError
from engine.ports import Spec

MAP, WIDE = Spec("real", (4, 3, 8)), Spec("real", (4, 3, 6))
N = 4


def maps(spec, seed=0):
    return np.random.default_rng(seed).standard_normal((N, *spec.shape)).astype(np.float32)


def started(node, *specs):
    rng = np.random.default_rng(3)
    weights = node.start(rng, *specs)
    for name, w in weights.items():
        if name.endswith("bias"):
            weights[name] = rng.uniform(0.1, 0.5, w.shape).astype(np.float32)
    return weights


def share(weights, means, curve):
    hidden = np.maximum(means @ weights["squeeze"].T + weights["squeeze_bias"], 0)
    sums = hidden @ weights["expand"].T + weights["expand_bias"]
    got = 1 / (1 + np.exp(-sums)) if curve == "sigmoid" else np.clip(sums / 6 + 0.5, 0, 1)
    return got[:, None, None, :]


def both(node, weights, specs, arrays):
    trained = np.array(node.operator(weights, N, *specs).execute(*arrays)[0])
    shipped = node.predictor(node.pack(weights, *specs), *specs)(*arrays)[0]
    return trained, shipped


@pytest.mark.parametrize("curve", ["sigmoid", "hard_sigmoid"])
def test_squeeze_and_excitation(curve):
    node, x = SqueezeExcite(ratio=2, curve=curve), maps(MAP)
    weights = started(node, MAP)
    expected = x * share(weights, x.mean((1, 2)), curve)
    for got in both(node, weights, (MAP,), (x,)):
        assert np.allclose(got, expected, atol=1e-5)
    assert_gradients(node, (MAP,), (x,), weights=weights)


def test_the_real_to_binary_gate_looks_at_what_went_in():
    node, x, before = ChannelGate(ratio=2), maps(WIDE), maps(MAP, 1)
    weights = node.start(np.random.default_rng(0), WIDE, MAP)
    assert weights["squeeze"].shape == (4, 8)
    assert weights["expand"].shape == (6, 4)
    expected = x * share(weights, before.mean((1, 2)), "sigmoid")
    for got in both(node, weights, (WIDE, MAP), (x, before)):
        assert np.allclose(got, expected, atol=1e-5)
    operator = assert_gradients(node, (WIDE, MAP), (x, before), weights=weights)
    assert {p.name for p in operator.parameters()} == {"squeeze", "expand"}  # no biases in the paper


def test_info_recoupling_mixes_what_came_out_with_what_went_in():
    node, x, before = InfoRecoupling(ratio=2), maps(MAP), maps(MAP, 1)
    weights = started(node, MAP, MAP)
    weights["mix"][:] = np.linspace(0.1, 0.9, 8)
    mixed = weights["mix"] * before + (1 - weights["mix"]) * x
    expected = x * share(weights, mixed.mean((1, 2)), "sigmoid")
    for got in both(node, weights, (MAP, MAP), (x, before)):
        assert np.allclose(got, expected, atol=1e-5)
    operator = assert_gradients(node, (MAP, MAP), (x, before), weights=weights)
    (mix,) = (p for p in operator.parameters() if p.name == "mix")
    assert (mix.floor, mix.limit) == (0.0, 1.0)


def test_gates_refuse_what_has_no_channels():
    flat = Spec("real", (12,))
    for node, specs in ((SqueezeExcite(), (flat,)), (ChannelGate(), (MAP, flat))):
        with pytest.raises(ShapeError, match="channels last"):
            node.specs(*specs)
    with pytest.raises(ShapeError, match="one shape"):
        InfoRecoupling().specs(MAP, WIDE)


@pytest.mark.parametrize("shape", [(7, 6, 3), (8, 5), (4, 4, 1)])
@pytest.mark.parametrize(("size", "row"), [("2", (1, 1)), ("3", (1, 2, 1)), ("5", (1, 4, 6, 4, 1))])
def test_blur_pooling_is_a_strided_binomial_filter(size, row, shape):
    node, spec = BlurPool(size=size), Spec("real", shape)
    x = maps(spec)
    (out,) = node.specs(spec)
    high, wide = (-(-n // 2) for n in shape[:2])
    assert out.shape == (high, wide, *shape[2:])
    k = len(row)
    filters = np.outer(row, row) / np.outer(row, row).sum()
    pads = [max(0, (m - 1) * 2 + k - n) for m, n in zip((high, wide), shape[:2], strict=True)]
    padded = np.pad(x.reshape(N, *shape[:2], -1), [(0, 0), *((p // 2, p - p // 2) for p in pads), (0, 0)])
    expected = np.zeros((N, high, wide, padded.shape[-1]))
    for i in range(high):
        for j in range(wide):
            patch = padded[:, 2 * i : 2 * i + k, 2 * j : 2 * j + k]
            expected[:, i, j] = (patch * filters[None, :, :, None]).sum((1, 2))
    for got in both(node, {}, (spec,), (x,)):
        assert np.allclose(got, expected.reshape(got.shape), atol=1e-6)
    assert_gradients(node, (spec,), (x,))


def test_a_blur_keeps_what_is_flat():
    x = np.ones((1, 9, 9, 2), np.float32)
    (y,) = BlurPool(stride=1).predictor({}, Spec("real", (9, 9, 2)))(x)
    assert np.all(y[:, 1:-1, 1:-1] == 1)
    with pytest.raises(ShapeError, match="maps"):
        BlurPool().specs(Spec("real", (9,)))


def test_concatenation_joins_channels_of_maps_of_one_size():
    node, a, b = Concatenate(), maps(MAP), maps(WIDE, 1)
    assert node.specs(MAP, WIDE) == (Spec("real", (4, 3, 14)),)
    for got in both(node, {}, (MAP, WIDE), (a, b)):
        assert np.array_equal(got, np.concatenate((a, b), -1))
    assert_gradients(node, (MAP, WIDE), (a, b))
    with pytest.raises(ShapeError, match="last axis"):
        node.specs(MAP, Spec("real", (3, 4, 8)))
