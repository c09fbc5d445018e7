"""A compiled program, which joins layers, gives the bits of its nodes one by one, with every quantizer."""

from pathlib import Path

import numpy as np
import pytest
from quantizer_nets import ACTIVATIONS, WEIGHTS

from engine.data.dataset import open_data
from engine.files.project import open_project
from engine.files.store import packed
from engine.runtime.program import Program
from engine.train.plan import Plan

PAIRS = [("weight", *p) for p in WEIGHTS] + [("activation", *p) for p in ACTIVATIONS]


@pytest.fixture(scope="module")
def project():
    return open_project(Path(__file__).parents[2] / "projects" / "digits" / "digits-binary.polybit")


@pytest.fixture(scope="module")
def data(project):
    return open_data(project.graph, project.folder)


def one_by_one(graph, arrays, records):
    """The scores of a graph whose predictors are run in order, each by itself."""
    values = {}
    for name in graph.order:
        node = graph.node(name)
        given = [wire and values[wire.source, wire.output] for wire in graph.into(name)]
        if node.kind.startswith("data."):
            made = (records.samples.astype(np.float32), records.labels, records.facts)
        elif node.kind == "flow.output":
            return given[0]
        else:
            made = node.predictor(arrays[name], *graph.input_specs(name))(*given)
        values.update({(name, port.name): array for port, array in zip(node.outputs, made, strict=True)})
    raise AssertionError("no output")


@pytest.mark.parametrize(("side", "key", "width"), [p for p in PAIRS if p[2] in ("1", "ternary", "4")])
def test_a_compiled_program_gives_the_bits_of_its_nodes(project, data, side, key, width):
    graph, rng = project.graph, np.random.default_rng(3)
    layers = [name for name in graph.order if graph.node(name).kind == "bnn.dense"]
    for name in layers:
        fields = {"weight_bits": width, "activation_bits": width, f"{side}_quantizer": key}
        graph = graph.change(name, **fields)
    graph = graph.change(layers[0], units=40)
    weights = {n: graph.node(n).start(np.random.default_rng(1), *graph.input_specs(n)) for n in graph.order}
    Plan(graph, weights, len(data.train)).forward(data.train)  # starts ranges and running statistics
    for name in layers:
        for learned in ("input_shift", "input_centre"):
            if learned in weights[name]:
                weights[name][learned] += rng.standard_normal(weights[name][learned].shape) / 10
    arrays = packed(graph, weights)
    scores = Program(graph, arrays).answer(data.test).scores
    assert scores.tobytes() == one_by_one(graph, arrays, data.test).tobytes()
