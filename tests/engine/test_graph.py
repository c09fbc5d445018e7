"""graph.py: edits are values, wires are refused with a reason, problems say what to do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.dense import Dense
from engine.bnn.sign import Sign
from engine.errors import FieldError, GraphError
from engine.flow.flatten import Flatten
from engine.flow.output import ClassifierOutput
from engine.graph import Graph, Wire
from engine.records import Header
from engine.sources.npz import NumpyArchive


@pytest.fixture
def graph():
    source = NumpyArchive(path="x.npz", header=Header((8, 8), ("a", "b"), (), 10))
    graph = (
        Graph()
        .add("data", source)
        .add("flat", Flatten())
        .add("dense", Dense(units=2))
        .add("out", ClassifierOutput())
    )
    graph = graph.wire("data", "samples", "flat", "in").wire("flat", "out", "dense", "in")
    return graph.wire("dense", "out", "out", "scores").wire("data", "labels", "out", "labels")


def test_a_whole_graph_has_no_problems(graph):
    assert graph.problems() == ()
    assert graph.spec(Wire("dense", "out", "out", "scores")).shape == (2,)
    assert graph.conversion(Wire("dense", "out", "out", "scores")) == "read as logits"


def test_edits_leave_the_old_graph_as_it_was(graph):
    before = (dict(graph.nodes), graph.wires)
    graph.change("dense", units=5)
    graph.move({"dense": (5, 6)})
    graph.remove("flat")
    graph.rename("flat", "row")
    graph.unwire(graph.wires[0])
    assert (dict(graph.nodes), graph.wires) == before


def test_a_wrong_wire_is_refused_with_its_reason(graph):
    graph = graph.add("sign", Sign())
    labels = Wire("data", "labels", "sign", "in")
    assert graph.refusal(labels) == "sign 'in' takes real; data gives labels."
    with pytest.raises(GraphError, match="would close a circle"):
        graph.add("dense 2", Dense()).wire("dense", "out", "dense 2", "in").wire(
            "dense 2", "out", "flat", "in"
        )
    assert (
        graph.refusal(Wire("dense", "nothing", "sign", "in"))
        == "dense has no output 'nothing'; there are out."
    )


def test_an_input_takes_one_wire(graph):
    graph = graph.add("other", Flatten()).wire("data", "samples", "other", "in")
    again = graph.wire("other", "out", "dense", "in")
    assert [w for w in again.wires if w.target == "dense"] == [Wire("other", "out", "dense", "in")]


def test_problems_name_the_node_and_the_port(graph):
    direct = graph.wire("data", "samples", "dense", "in")
    assert [str(p) for p in direct.problems()] == [
        "dense.in: It takes flat records; these are real 8 × 8. Insert a Flatten."
    ]
    loose = graph.unwire(Wire("flat", "out", "dense", "in"))
    assert loose.problems()[0].what == "Input 'in' is not wired."
    units = graph.change("dense", units=3)
    assert "2" in units.problems()[0].what
    assert "units" in str(units.problems()[0]).lower()


def test_a_graph_without_an_answer_says_so():
    assert Graph().problems() == ()
    words = [str(p) for p in Graph().add("dense", Dense()).problems()]
    assert (
        words[-1]
        == "Nothing says which scores are the answer. Add a Classifier output and wire scores to it."
    )


def test_parameters_are_checked(graph):
    with pytest.raises(FieldError, match=r"Dense layer: Units must be 1 to 65536; got 0\."):
        graph.change("dense", units=0)
    with pytest.raises(
        FieldError, match="Weight bits must be one of 1, ternary, 2, 3, 4, 8, 16, 32; got '5'"
    ):
        graph.change("dense", weight_bits="5")
    with pytest.raises(GraphError, match="Dense layer has no parameter 'unit'; there are units"):
        graph.change("dense", unit=5)


def test_names_that_files_could_not_hold_are_refused():
    for name in ("", "a.b", "a/b", " a"):
        with pytest.raises(GraphError, match="cannot be named"):
            Graph().add(name, Dense())


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_running_order_puts_every_node_after_those_that_feed_it(pairs):
    graph = Graph()
    for i in range(8):
        graph = graph.add(f"n{i}", Flatten())
    for a, b in pairs:
        if not graph.refusal(Wire(f"n{a}", "out", f"n{b}", "in")):
            graph = graph.wire(f"n{a}", "out", f"n{b}", "in")
    order = list(graph.order)
    assert sorted(order) == sorted(graph.nodes)
    assert all(order.index(w.source) < order.index(w.target) for w in graph.wires)
