"""engine/templates: every fragment fits where it is inserted, and computes what its paper draws."""

import numpy as np
import pytest
from tests_wiring import wired

from engine.catalog import NODES
from engine.errors import GraphError
from engine.graph import Graph
from engine.records import Header
from engine.templates import TEMPLATES, Size
from engine.templates.sketch import End, Sketch
from engine.templates.widen import widened

every_template = pytest.mark.parametrize("key", TEMPLATES)


def maps(shape=(12, 12, 8)):
    """A graph whose data gives records of a shape."""
    header = Header(shape, ("a", "b"), (), 10)
    return Graph().add("data", NODES["data.npz"](path="x.npz").__class__(header=header))


@every_template
def test_that_the_palette_can_show_it(key):
    template = TEMPLATES[key]
    assert template.title
    assert template.summary
    assert template.icon.startswith("ph.")
    assert template.draw.__doc__


@every_template
def test_that_it_fits_what_feeds_it(key):
    template = TEMPLATES[key]
    graph, feed = (
        maps({"binary_dense": (8,), "binary_attention": (12, 8)}.get(key, (12, 12, 8))),
        End("data", "samples"),
    )
    made = template.insert(graph, feed)
    wrong = [p for p in made.graph.problems() if "answer" not in p.what]
    assert not wrong
    (spec,) = made.graph.output_specs(made.end.node)
    channels = graph.output_specs(feed.node)[0].shape[-1]
    assert spec.shape[-1] == channels * template.growth
    if len(spec.shape) == 3:
        assert spec.shape[:2] == (12 // template.stride,) * 2


@every_template
def test_that_it_stands_open_where_nothing_feeds_it(key):
    made = TEMPLATES[key].insert(Graph(), channels=16)
    open_ends = [p for p in made.graph.problems() if "not wired" in p.what]
    assert open_ends
    assert {p.node for p in made.graph.problems() if p.node} <= set(made.names)
    assert set(made.names) == set(made.graph.nodes)


@every_template
def test_that_a_second_one_has_other_names(key):
    template = TEMPLATES[key]
    first = template.insert(Graph())
    second = template.insert(first.graph)
    assert all(name.startswith("B1 ") for name in first.names)
    assert all(name.startswith("B2 ") for name in second.names)


@pytest.mark.parametrize("key", ["bireal", "reactnet", "bnext", "real_to_binary"])
@pytest.mark.parametrize("size", [Size(8, 16, 2), Size(8, 16), Size(8, 8, 2)])
def test_that_residual_blocks_change_size_too(key, size):
    sketch = Sketch(maps())
    end = TEMPLATES[key].draw(sketch, End("data", "samples"), size)
    assert not [p for p in sketch.graph.problems() if "answer" not in p.what]
    (spec,) = sketch.graph.output_specs(end.node)
    assert spec.shape == (12 // size.stride, 12 // size.stride, size.out)


def test_an_unknown_shape_is_refused():
    graph = Graph().add("sign", NODES["bnn.sign"]())
    with pytest.raises(GraphError, match="not known"):
        TEMPLATES["bireal"].insert(graph, End("sign", "out"))


def test_the_real_map_goes_around_a_bi_real_block():
    """With a norm that gives 0 (gamma 0), the block passes its input unchanged."""
    made = TEMPLATES["bireal"].insert(maps(), End("data", "samples"))
    graph = made.graph
    x = np.random.default_rng(0).standard_normal((2, 12, 12, 8)).astype(np.float32)
    values = {("data", "samples"): x}
    for name in graph.order[1:]:
        specs, node = graph.input_specs(name), graph.node(name)
        weights = node.start(np.random.default_rng(1), *specs)
        if node.kind == "bnn.batch_norm":
            weights["gamma"][:] = 0
        arrays = [values[w.source, w.output] for w in graph.into(name)]
        values[name, "out"] = node.predictor(node.pack(weights, *specs), *specs)(*arrays)[0]
    assert np.array_equal(values[tuple(made.end)], x)


def test_a_wider_graph_keeps_its_answer():
    n = NODES
    graph = wired(
        {
            "conv": n["bnn.conv2d"](filters=8, groups=8),
            "hidden": n["bnn.dense"](units=10),
            "head": n["bnn.dense"](units=3),
            "norm": n["bnn.batch_norm"](),
            "out": n["flow.output"](),
        },
        ["hidden.out -> head.in", "head.out -> norm.in", "norm.out -> out.scores"],
    )
    wide = widened(graph, 1.5)
    assert (wide.node("conv").filters, wide.node("conv").groups) == (12, 12)
    assert wide.node("hidden").units == 15
    assert wide.node("head").units == 3
    assert widened(graph, 0.01).node("hidden").units == 1
    with pytest.raises(GraphError, match="above 0"):
        widened(graph, 0)
