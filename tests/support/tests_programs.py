"""Programs of random weights for tests of what is compiled."""

import numpy as np
from tests_wiring import wired

from engine.catalog import NODES
from engine.records import Header
from engine.runtime.program import Program

CLASSES = ("a", "b", "c")


def source(shape):
    return NODES["data.npz"](path="x.npz", header=Header(shape, CLASSES, (), 0))


def in_a_row(shape, *nodes):
    """A graph of nodes one after another, from samples of a shape to the answer."""
    named = {f"n{i}": node for i, node in enumerate(nodes)}
    ends = ["data.samples", *(f"{name}.out" for name in named)]
    wires = [f"{end} -> {name}.in" for end, name in zip(ends, named, strict=False)]
    graph = {"data": source(shape), **named, "out": NODES["flow.output"]()}
    return wired(graph, [*wires, f"{ends[-1]} -> out.scores", "data.labels -> out.labels"])


def program_of(graph, seed):
    """The program of a graph with random weights, as training might leave them and as it never would."""
    rng = np.random.default_rng(seed)
    packed = {}
    for name in graph.order:
        node, specs = graph.node(name), graph.input_specs(name)
        weights = node.start(rng, *specs)
        for key, array in weights.items():
            weights[key] = disturbed(rng, key, array)
        packed[name] = node.pack(weights, *specs)
    return Program(graph, packed)


def disturbed(rng, key, array):
    if key == "step":
        return np.full_like(array, rng.uniform(0.01, 0.6))
    if key == "variance":
        return rng.uniform(0.1, 900, array.shape).astype(np.float32)
    if key == "scale":
        return np.where(rng.random(array.shape) < 0.2, 0, rng.uniform(0.002, 0.01, array.shape)).astype("f4")
    size = {"gamma": 1, "beta": 1, "mean": 20, "bias": 3}.get(key, 0.5)
    drawn = (size * rng.standard_normal(array.shape)).astype(np.float32)
    return np.where(rng.random(array.shape) < 0.15, 0, drawn).astype(np.float32)


def uncompiled(program, records):
    end = program.graph.into("out")[0]
    return np.concatenate([values[end.source, end.output] for values in program.runs(records)])


def steps(program, dtype="float32"):
    program.runner(1, dtype)
    (done,) = (c for (_, fed), c in program._compiled.items() if fed == dtype)
    return [type(step).__name__ for step in done.steps]
