"""What every quantizer of weights and activations must keep to; a new option is tested by being there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quantizer_nets import ACTIVATIONS, WEIGHTS, accuracy

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.dense import Dense
from engine.bnn.linear import activation_of, multiplied_width
from engine.bnn.product import way
from engine.bnn.stored import numbers, stored
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.node import Moment
from engine.ports import Spec
from engine.precision import PRECISIONS

every_weight = pytest.mark.parametrize(("key", "width"), WEIGHTS)
every_activation = pytest.mark.parametrize(("key", "width"), ACTIVATIONS)
K, M, N = 70, 13, 9
SPEC = Spec("real", (K,))


def reals(seed=1, shape=(N, K)):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def layer(**fields):
    node = Dense(units=M, **fields)
    weights = node.start(np.random.default_rng(0), SPEC)
    weights["weight"] *= 3
    weights["bias"][:] = np.linspace(-1, 1, M)
    return node, weights


def latent(seed, outputs=5, inputs=40, spread=0.4):
    return (np.random.default_rng(seed).standard_normal((outputs, inputs)) * spread).astype(np.float32)


def made(key, width, w, share=1.0):
    kind, row = WEIGHT_QUANTIZERS.make(key), PRECISIONS[width]
    quantizer = kind(row, {"weight": w, **kind.start(row, w)}, "clipped")
    quantizer.moment = Moment(share=share)
    return quantizer


def parts(quantized):
    while quantized is not None:
        yield quantized
        quantized = quantized.more


def agree(node, weights):
    """Compare one batch in training with what is shipped right after."""
    x = reals()
    (trained,) = node.operator(weights, N, SPEC).execute(x)
    (shipped,) = node.predictor(node.pack(weights, SPEC), SPEC)(x)
    np.testing.assert_allclose(trained, shipped, atol=1e-4)
    width = multiplied_width(node.weight_bits, node.weight_quantizer)
    activation = activation_of(SPEC, node.activation_bits, node.activation_quantizer)
    if way(PRECISIONS[width], activation) != "floats":
        assert trained.tobytes() == shipped.tobytes()


@every_weight
@pytest.mark.parametrize("activation", ["1", "4", "32"])
def test_a_weight_quantizer_ships_what_it_trains(key, width, activation):
    if not WEIGHT_QUANTIZERS.make(key).stochastic:
        agree(*layer(weight_bits=width, weight_quantizer=key, activation_bits=activation))


@every_activation
@pytest.mark.parametrize("weight", ["1", "4", "32"])
def test_an_activation_quantizer_ships_what_it_trains(key, width, weight):
    if not ACTIVATION_QUANTIZERS.make(key).stochastic:
        agree(*layer(weight_bits=weight, activation_bits=width, activation_quantizer=key))


@pytest.mark.parametrize("weight", ["abc_net_3", "adabin"])
@pytest.mark.parametrize("activation", ["heaviside", "adabin"])
def test_bases_and_offsets_on_both_sides_ship_what_they_train(weight, activation):
    node, weights = layer(
        weight_bits="1", activation_bits="1", weight_quantizer=weight, activation_quantizer=activation
    )
    if activation == "adabin":
        weights["input_distance"][0], weights["input_centre"][0] = 0.7, 0.3
    agree(node, weights)
    packed, x = node.pack(weights, SPEC), reals()
    bits = np.where(x > 0, 1.0, 0.0) if activation == "heaviside" else np.where(x >= 0.3, 1.0, -0.4)
    quantizer = made(weight, "1", weights["weight"])
    counted = sum(
        p.values * p.scale[:, None] + (0 if p.offset is None else p.offset[:, None])
        for p in parts(quantizer.shipped(weights["weight"]))
    )
    expected = bits @ counted.T.astype(np.float64) + weights["bias"]
    np.testing.assert_allclose(node.predictor(packed, SPEC)(x)[0], expected, atol=1e-3)


@every_weight
def test_the_counted_size_of_a_weight_quantizer_is_the_packed_size(key, width):
    node, weights = layer(weight_bits=width, weight_quantizer=key)
    packed = node.pack(weights, SPEC)
    assert node.cost(SPEC).weight_bits == 8 * sum(a.nbytes for a in packed.values())


@every_activation
def test_the_counted_size_of_an_activation_quantizer_is_the_packed_size(key, width):
    node, weights = layer(activation_bits=width, activation_quantizer=key)
    fresh = node.pack(weights, SPEC)
    node.operator(weights, N, SPEC).execute(reals())
    packed = node.pack(weights, SPEC)
    assert node.cost(SPEC).weight_bits == 8 * sum(a.nbytes for a in packed.values())
    assert {k: a.shape for k, a in fresh.items()} == {k: a.shape for k, a in packed.items()}


@every_weight
@settings(deadline=None, max_examples=6)
@given(
    seed=st.integers(0, 2**32 - 1),
    outputs=st.integers(1, 5),
    inputs=st.integers(2, 90),
    spread=st.sampled_from([0.0, 1e-4, 0.3, 50.0]),
)
def test_shipped_weights_are_levels_of_their_width(key, width, seed, outputs, inputs, spread):
    w = latent(seed, outputs, inputs, spread)
    before, row = w.copy(), PRECISIONS[width]
    quantizer = made(key, width, w)
    shipped = list(parts(quantizer.shipped(w)))
    assert len(shipped) == quantizer.bases
    for part in shipped:
        assert part.values.dtype == part.scale.dtype == np.float32
        assert part.values.shape == w.shape
        assert part.scale.shape == (outputs,)
        assert (part.offset is not None) == quantizer.offsets
        assert not part.soft
        assert np.isfinite(part.scale).all()
        if part.book is not None:
            assert len(part.book) <= 2**row.bits
            assert (np.diff(part.book) > 0).all()
            assert (numbers(stored(part, width), "", width, inputs) == part.values).all()
        elif not row.is_float:
            assert set(np.unique(part.values)) <= set(range(row.low, row.high + 1)) - (
                {0} if row.binary else set()
            )
    assert (w == before).all()


def test_learned_scales_move_by_shares_of_their_size():
    weights = {
        "weight_scale",
        "weight_step",
        "weight_positive",
        "weight_negative",
        "weight_clip",
        "weight_reach",
    }
    inputs = {"step", "input_clip", "input_distance", "input_intervals"}
    found = {}
    for key, width in WEIGHTS:
        found |= {(key, p.name): p.relative for p in made(key, width, latent(0)).parameters()}
    for key, width in ACTIVATIONS:
        kind, row = ACTIVATION_QUANTIZERS.make(key), PRECISIONS[width]
        found |= {(key, p.name): p.relative for p in kind(row, kind.start(row, SPEC), "clipped").parameters()}
    scales = {pair: relative for pair, relative in found.items() if pair[1] in weights | inputs}
    assert len(scales) > 12
    assert all(scales.values()), scales


@every_weight
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("spread", [0.0, 0.3, 5.0])
def test_gradients_of_weights_are_finite(key, width, share, spread):
    w = latent(3, spread=spread)
    quantizer = made(key, width, w, share)
    for part in parts(quantizer.quantize(w)):
        assert np.isfinite(part.values).all()
    grad = quantizer.gradient(w, latent(4, spread=1.0))
    assert grad.shape == w.shape
    assert np.isfinite(grad).all()
    assert {p.name for p in quantizer.parameters()} == set(quantizer.trained)
    assert set(quantizer.trained) <= set(quantizer.start(quantizer.row, w))
    assert all(np.isfinite(array).all() for array in quantizer.arrays.values())
    for p in quantizer.parameters():
        assert p.grad.shape == p.value.shape
        assert p.grad.dtype == np.float32
        assert np.isfinite(p.grad).all()


@every_weight
def test_a_layer_trains_at_any_moment_with_every_weight_quantizer(key, width):
    node, weights = layer(weight_bits=width, weight_quantizer=key, activation_bits="1")
    operator = node.operator(weights, N, SPEC)
    for moment in (Moment(share=0.0), Moment(share=0.3), Moment(weights=False), Moment(activations=False)):
        operator.moment = moment
        (out,) = operator.execute(reals())
        (dx,) = operator.gradient(reals(5, (N, M)))
        assert np.isfinite(out).all()
        assert np.isfinite(dx).all()


@every_activation
def test_a_layer_trains_at_any_moment_with_every_activation_quantizer(key, width):
    node, weights = layer(activation_bits=width, activation_quantizer=key)
    operator = node.operator(weights, N, SPEC)
    for moment in (Moment(share=0.0), Moment(share=0.3), Moment(activations=False), Moment()):
        operator.moment = moment
        (out,) = operator.execute(reals())
        (dx,) = operator.gradient(reals(5, (N, M)))
        assert np.isfinite(out).all()
        assert np.isfinite(dx).all()
        assert all(np.isfinite(p.grad).all() for p in operator.parameters())
    assert {p.name for p in operator.parameters()} <= set(weights)


@every_activation
def test_shipped_activations_do_not_depend_on_their_neighbours(key, width):
    node, weights = layer(activation_bits=width, activation_quantizer=key)
    node.operator(weights, N, SPEC).execute(reals())
    predict = node.predictor(node.pack(weights, SPEC), SPEC)
    x = reals(7) * 3
    (together,) = predict(x)
    for row in (0, N - 1):
        assert predict(x[row : row + 1])[0].tobytes() == together[row : row + 1].tobytes()


@pytest.mark.parametrize(
    ("key", "width"), [(o.key, o.serves[0]) for o in WEIGHT_QUANTIZERS.all() if o.key != "standard"]
)
def test_a_net_learns_digits_with_every_weight_quantizer(key, width):
    assert accuracy(weight_bits=width, weight_quantizer=key) > 0.5  # chance is 0.1


@pytest.mark.parametrize(
    ("key", "width"), [(o.key, o.serves[0]) for o in ACTIVATION_QUANTIZERS.all() if o.key != "standard"]
)
def test_a_net_learns_digits_with_every_activation_quantizer(key, width):
    assert accuracy(weight_bits="32", activation_bits=width, activation_quantizer=key) > 0.5


@pytest.mark.parametrize(("key", "width"), [p for p in WEIGHTS if WEIGHT_QUANTIZERS.make(p[0]).stochastic])
def test_chance_is_drawn_anew_in_training_and_never_shipped(key, width):
    w = latent(1)
    quantizer = made(key, width, w)
    first, second = (quantizer.quantize(w).values.copy() for _ in range(2))
    assert (first != second).any()
    assert (quantizer.shipped(w).values == quantizer.shipped(w).values).all()
    # The same chance draws the same weights, as a resumed run needs it.
    again = made(key, width, w)
    again.rng = np.random.default_rng(0)
    assert (again.quantize(w).values == first).all()


@pytest.mark.parametrize("key", ["stochastic_sign", "bernoulli", "gumbel", "psa", "reinforce"])
def test_chance_in_activations_follows_its_probability(key):
    kind, spec = ACTIVATION_QUANTIZERS.make(key), Spec("real", (1,))
    quantizer = kind(PRECISIONS["1"], kind.start(PRECISIONS["1"], spec), "clipped")
    x = np.repeat(np.float32([[-1.5], [-0.4], [0.0], [0.8], [1.5]]), 4000, axis=0)
    words = quantizer.quantize(x, Spec("bits", (1,), "1").array(len(x)))
    share = (words & np.uint64(1)).reshape(5, -1).mean(axis=1)
    at = np.array([-1.5, -0.4, 0.0, 0.8, 1.5])
    expected = 1 / (1 + np.exp(-at)) if key in ("gumbel", "psa", "reinforce") else np.clip((at + 1) / 2, 0, 1)
    np.testing.assert_allclose(share, expected, atol=0.03)
    shipped = quantizer.shipped(x, Spec("bits", (1,), "1").array(len(x)))
    assert ((shipped & np.uint64(1))[:, 0] == (x[:, 0] >= 0)).all()
