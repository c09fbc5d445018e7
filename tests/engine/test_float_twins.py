"""train/floats.py and the float twins of nodes that give bits: true gradients, and graphs that still hold."""

import numpy as np
import pytest
from tests_wiring import wired

from engine.catalog import NODES as N
from engine.node import changed
from engine.ports import Spec
from engine.records import Header
from engine.train.floats import TWIN, start_weight_quantizers, with_float_activations

SPEC = Spec("real", (4, 3))
TWINS = [
    ("bnn.sign", {}),
    ("bnn.rsign", {"estimator": "approx_sign"}),
    ("bnn.quantize", {"bits": "1"}),
    ("bnn.quantize", {"bits": "ternary"}),
    ("bnn.quantize", {"bits": "4"}),
]


def test_every_node_that_makes_bits_of_numbers_has_one():
    makers = {
        kind
        for kind, cls in N.items()
        if cls.learning == "gradient" and cls.outputs and cls.outputs[0].accepts == ("bits",)
        if cls.inputs[0].accepts == ("real",)
    }
    assert makers == {kind for kind, cls in N.items() if TWIN in cls.about()}


@pytest.mark.parametrize(("kind", "values"), TWINS)
def test_its_gradient_is_its_derivative(kind, values):
    node = changed(N[kind](**values), {TWIN: True})
    assert node.specs(SPEC) == (SPEC,)
    rng = np.random.default_rng(0)
    weights = node.start(rng, SPEC)
    for array in weights.values():
        array[...] = rng.uniform(-0.3, 0.3, array.shape)
    operator = node.operator(weights, 6, SPEC)
    x = rng.uniform(-1.5, 1.5, (6, 4, 3)).astype(np.float32)
    dy = rng.standard_normal((6, 4, 3)).astype(np.float32)

    def value():
        return float((operator.execute(x)[0].astype(np.float64) * dy).sum())

    value()
    (dx,) = operator.gradient(dy.copy())
    pairs = [(x, dx), *((p.value, p.grad) for p in operator.parameters())]
    pairs = [(array, grad.copy()) for array, grad in pairs]
    for array, grad in pairs:
        for at in np.ndindex(array.shape):
            before = array[at]
            array[at] = before + 1e-3
            up = value()
            array[at] = before - 1e-3
            down = value()
            array[at] = before
            assert (up - down) / 2e-3 == pytest.approx(float(grad[at]), abs=0.02)


def test_layers_take_floats_where_they_took_bits_and_maps_stay_maps():
    nodes = {
        "data": N["data.npz"](path="x.npz", header=Header((6, 6), ("x", "y"), (), 6)),
        "quantize": N["bnn.quantize"](bits="1"),
        "flat": N["flow.flatten"](),
        "dense": N["bnn.dense"](units=5, activation_bits="2", activation_quantizer="dorefa"),
        "sign": N["bnn.sign"](),
        "head": N["bnn.dense"](units=2, activation_bits="1"),
        "out": N["flow.output"](),
    }
    wires = [
        "data.samples -> quantize.in",
        "quantize.out -> flat.in",
        "flat.out -> dense.in",
        "dense.out -> sign.in",
        "sign.out -> head.in",
        "head.out -> out.scores",
        "data.labels -> out.labels",
    ]
    graph = wired(nodes, wires)
    after = with_float_activations(graph)
    assert not [p for p in after.problems() if p.level == "error"]
    assert [after.input_specs(n)[0].type for n in ("flat", "dense", "head")] == ["real"] * 3
    assert after.node("dense").activation_bits == "32"
    weights = graph.node("dense").start(np.random.default_rng(0), *graph.input_specs("dense"))
    after.node("dense").operator(weights, 4, *after.input_specs("dense"))
    assert with_float_activations(after) == after


@pytest.mark.parametrize("kind", ["bnn.conv2d", "bnn.separable_conv"])
def test_learned_steps_begin_again_from_the_weights_that_a_float_stage_leaves(kind):
    data = N["data.npz"](path="x.npz", header=Header((6, 6, 3), ("x", "y"), (), 6))
    layer = N[kind](filters=2, weight_bits="4", weight_quantizer="lsq")
    graph = wired({"data": data, "layer": layer}, ["data.samples -> layer.in"])
    fresh = layer.start(np.random.default_rng(0), *graph.input_specs("layer"))
    trained = {key: array * (4 if key.endswith("weight") else 1) for key, array in fresh.items()}
    steps = [key for key in fresh if "step" in key]
    assert len(steps) == (2 if "separable" in kind else 1)
    start_weight_quantizers(graph, {"data": {}, "layer": trained})
    for key in steps:  # LSQ begins at a multiple of the mean size of the weights
        np.testing.assert_allclose(trained[key], 4 * fresh[key], rtol=1e-5)
