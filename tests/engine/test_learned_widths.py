"""Weights whose width is learned: the planes that are shipped, and answers that stay the same."""

from dataclasses import replace

import numpy as np
import pytest

from engine.catalog import NODES
from engine.errors import ModelError
from engine.files.model import load_model, write_model
from engine.files.store import packed
from engine.levels import whole_planes
from engine.ports import Spec
from engine.train.loop import Run

LAYERS = {
    "dense": ("bnn.dense", {"units": 9, "activation_bits": "4"}, (70,)),
    "dense on floats": ("bnn.dense", {"units": 5}, (70,)),
    "grouped": (
        "bnn.conv2d",
        {"filters": 4, "groups": 2, "activation_bits": "1", "pad_value": "0"},
        (6, 6, 4),
    ),
    "conv1d": ("bnn.conv1d", {"filters": 3, "activation_bits": "8"}, (9, 3)),
    "depthwise": ("bnn.depthwise_conv", {"activation_bits": "2"}, (6, 6, 4)),
    "separable": ("bnn.separable_conv", {"filters": 5, "between_bits": "3"}, (6, 6, 4)),
    "transposed": ("bnn.transposed_conv", {"filters": 3, "activation_bits": "4"}, (5, 5, 2)),
    "local": ("bnn.local_conv", {"filters": 2, "activation_bits": "4"}, (5, 5, 2)),
    "embedding": ("bnn.embedding", {"levels": 6, "dimensions": 70}, (4,)),
}


def learned_as(kind, fields, shape, width, bits="8"):
    """A layer, its spec and its fresh weights with `width` learned."""
    spec = Spec("real", shape)
    node = NODES[kind].of({"weight_bits": bits, "weight_quantizer": "fractional_bits_dear", **fields})
    weights = node.start(np.random.default_rng(0), spec)
    for name in [n for n in weights if n.endswith("weight_width")]:
        weights[name][0] = width
    return node, spec, weights


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("width", [2, 3, 5, 6, 8])
def test_a_layer_ships_the_planes_it_learned_and_answers_as_with_all(layer, width):
    node, spec, weights = learned_as(*LAYERS[layer], width - 0.2)
    shipped = node.pack(weights, spec)
    planes = [name for name in shipped if node.may_be_shorter(name)]
    assert planes
    assert [len(shipped[name]) for name in planes] == [width] * len(planes)
    whole = {name: whole_planes(a, "8") if name in planes else a for name, a in shipped.items()}
    x = np.random.default_rng(1).integers(0, 6, (7, *spec.shape)).astype(np.float32)
    expected = node.predictor(whole, spec)(x)[0]
    assert np.isfinite(expected).all()
    assert expected.tobytes() == node.predictor(shipped, spec)(x)[0].tobytes()
    levels = node.weight_levels(shipped)
    assert (levels == node.weight_levels(whole)).all()
    assert np.abs(levels).max() == 2 ** (width - 1) - 1


@pytest.fixture
def learned(binary_project, tmp_path):
    """A run whose hidden layer came to 5 bits of 8."""
    fields = {"weight_bits": "8", "weight_quantizer": "fractional_bits_cheap"}
    graph = binary_project.graph.change("hidden", **fields)
    run = Run(replace(binary_project, graph=graph))
    records = run.prepared()
    run.weights["hidden"]["weight_width"][0] = 5.1
    return run, records


def test_a_model_keeps_what_was_learned_and_files_of_before_are_read(learned, tmp_path):
    run, records = learned
    program = run.program()
    write_model(tmp_path / "new.h5", program, run.project)
    assert len(program.packed["hidden"]["weight"]) == 5
    before = program.packed["hidden"] | {"weight": whole_planes(program.packed["hidden"]["weight"], "8")}
    program.packed["hidden"] = before
    write_model(tmp_path / "old.h5", program, run.project)
    sizes = [(tmp_path / name).stat().st_size for name in ("old.h5", "new.h5")]
    assert sizes[1] < sizes[0]
    found = [load_model(tmp_path / name) for name in ("old.h5", "new.h5")]
    assert [len(model.packed["hidden"]["weight"]) for model in found] == [8, 5]
    scores = [model.answer(records).scores.tobytes() for model in found]
    assert scores[0] == scores[1]
    assert (
        packed(run.project.graph, run.weights)["hidden"]["weight"].tobytes()
        == found[1].packed["hidden"]["weight"].tobytes()
    )


@pytest.mark.parametrize("planes", [0, 1, 9])
def test_too_few_or_too_many_planes_are_refused(learned, tmp_path, planes):
    run, _ = learned
    program = run.program()
    weight = program.packed["hidden"]["weight"]
    program.packed["hidden"]["weight"] = np.concatenate([weight, weight])[:planes]
    write_model(tmp_path / "m.h5", program, run.project)
    with pytest.raises(ModelError, match="hidden/weight"):
        load_model(tmp_path / "m.h5")
