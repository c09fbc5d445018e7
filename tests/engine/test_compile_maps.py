"""runtime/compile.py on maps: convolutions and poolings give the bytes of the nodes' own predictors."""

import numpy as np
import pytest
from tests_wiring import wired

from engine.catalog import NODES
from engine.files.project import Project, probed, save_project
from engine.files.store import packed
from engine.records import Records, no_facts
from engine.runtime.program import Program


def program(data_file, layers, seed=0):
    names = [f"{i} {kind.removeprefix(PREFIX)}" for i, (kind, _) in enumerate(layers)]
    nodes = {
        "data": NODES["data.npz"](path="data.npz"),
        "split": NODES["flow.split"](),
        **{name: NODES[kind](**fields) for name, (kind, fields) in zip(names, layers, strict=True)},
        "flat": NODES["flow.flatten"](),
        "head": NODES["bnn.dense"](units=3, weight_bits="32"),
        "out": NODES["flow.output"](),
    }
    chain = ["split.samples", *(f"{n}.out" for n in names), "flat.out", "head.out"]
    ends = [*(f"{n}.in" for n in names), "flat.in", "head.in", "out.scores"]
    wires = ["data.samples -> split.samples", "data.labels -> split.labels", "split.labels -> out.labels"]
    wires += [f"{a} -> {b}" for a, b in zip(chain, ends, strict=True)]
    graph = wired(nodes, wires)
    path = data_file.parent / "maps.polybit"
    graph = probed(save_project(Project(graph=graph, name="Maps"), path)).graph
    rng = np.random.default_rng(seed)
    weights = {}
    for name in graph.order:
        weights[name] = graph.node(name).start(rng, *graph.input_specs(name))
        if "variance" in weights[name]:
            shape = weights[name]["mean"].shape
            weights[name]["mean"] += rng.normal(0, 0.3, shape).astype(np.float32)
            weights[name]["gamma"] *= rng.choice([-1, 1], shape).astype(np.float32)
    return Program(graph, packed(graph, weights))


def plain_scores(made, records):
    """The scores as the nodes' own predictors give them, one after another."""
    values = {}
    for name in made.graph.order:
        node = made.graph.node(name)
        if name == "out":
            return values["head", "out"]
        inputs = made.inputs_of(name, values) if name != "data" else ()
        given = (
            (records.samples, records.labels, records.facts)
            if name == "data"
            else made._predictor(name)(*inputs)
        )
        values |= {(name, port.name): array for port, array in zip(node.outputs, given, strict=True)}
    raise AssertionError("no output")


PREFIX = "bnn."
CONV = {"filters": 16, "weight_bits": "1"}
NETS = {
    "float": [("bnn.conv2d", {"filters": 16, "weight_bits": "32"}), ("bnn.max_pool", {})],
    "signs": [("bnn.sign", {}), ("bnn.conv2d", CONV), ("bnn.max_pool", {})],
    "zero padding": [("bnn.sign", {}), ("bnn.conv2d", {**CONV, "pad_value": "0"}), ("bnn.max_pool", {})],
    "padded pool": [("bnn.sign", {}), ("bnn.conv2d", CONV), ("bnn.max_pool", {"size": 3, "padding": "same"})],
    "levels": [("bnn.quantize", {"bits": "4"}), ("bnn.conv2d", CONV), ("bnn.max_pool", {})],
    "local": [("bnn.sign", {}), ("bnn.local_conv", {"filters": 4}), ("bnn.max_pool", {})],
}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("count", [1, 70])
def test_a_compiled_program_gives_the_bytes_of_its_nodes(data_file, net, count):
    layers = [
        *NETS[net],
        ("bnn.batch_norm", {}),
        ("bnn.sign", {}),
        ("bnn.conv2d", CONV),
        ("bnn.max_pool", {}),
    ]
    made = program(data_file, layers)
    samples = np.random.default_rng(3).standard_normal((count, 6, 6)).astype(np.float32)
    records = Records(samples, np.full(count, -1, np.int64), no_facts(count))
    assert made.answer(records).scores.tobytes() == plain_scores(made, records).tobytes()


def test_a_map_that_is_looked_at_twice_is_not_pooled_away(data_file):
    made = program(data_file, [("bnn.sign", {}), ("bnn.conv2d", CONV), ("bnn.max_pool", {})])
    conv, pool = (n for n in made.graph.order if "conv2d" in n or "max_pool" in n)
    samples = np.random.default_rng(3).standard_normal((5, 6, 6)).astype(np.float32)
    records = Records(samples, np.full(5, -1, np.int64), no_facts(5))
    values = next(made.runs(records))
    own = made.graph.node(pool).predictor({}, *made.graph.input_specs(pool))
    assert values[pool, "out"].tobytes() == own(values[conv, "out"])[0].tobytes()
