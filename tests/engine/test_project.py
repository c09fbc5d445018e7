"""files/project.py: round trips, and every way a file can be wrong gets one sentence."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.dense import Dense
from engine.catalog import NODES
from engine.errors import PolybitError, ProjectError
from engine.files.project import Project, open_project, project_text, read_project, save_project
from engine.graph import Graph
from engine.settings import Training


def whole():
    graph = Graph()
    for i, kind in enumerate(NODES):
        graph = graph.add(f"node {i}", NODES[kind](), 10.5 * i, -3)
    return Project(graph=graph, name="Äll kinds", about="…", training=Training(epochs=3), view={"zoom": 0.5})


def test_what_is_saved_is_what_is_opened(tmp_path):
    project = save_project(whole(), tmp_path / "p.polybit")
    again = open_project(tmp_path / "p.polybit", probe=False)
    assert again == project
    assert not list(tmp_path.glob("*.part"))


def test_rules_are_kept_a_line_a_line():
    graph = Graph().add("rules", NODES["logic.rules"](rules="rule a: class = 1\nrule b: class != 2"))
    text = project_text(Project(graph=graph))
    assert '"rule a: class = 1",\n' in text
    assert read_project(text, "p").graph == graph


def broken(**changes):
    document = json.loads(project_text(Project(graph=Graph().add("d", Dense()))))
    document.update(changes)
    return json.dumps(document)


node = {"kind": "bnn.dense", "at": [0, 0], "set": {}}
WRONG = {
    '{"format": ': "p, line 1, column 12: This is not JSON: Expecting value",
    "[]": "p: This is not a Polybit project.",
    '{"format": "x"}': "p: This is not a Polybit project.",
    '{"a": 1, "a": 2}': "the key 'a' stands twice",
    '{"a": NaN}': "NaN is not a number",
    "[" * 100: "nested more than 40 deep",
    broken(version=2): "p: This project has format 2; this program reads up to 1. Update Polybit to open it.",
    broken(version="1"): "p, version: must be a whole number from 1; got '1'.",
    broken(nodes=[]): "p, nodes: must be an object",
    broken(
        nodes={"d": {**node, "kind": "bnn.magic"}}
    ): "p, nodes.d.kind: There is no kind of node 'bnn.magic'.",
    broken(
        nodes={"d": {**node, "set": {"units": -1}}}
    ): "p, nodes.d.set.units: Dense layer: Units must be 1 to 65536",
    broken(
        nodes={"d": {**node, "set": {"unit": 1}}}
    ): "p, nodes.d.set.unit: Dense layer has no parameter 'unit'",
    broken(nodes={"d": {**node, "at": [1e9, 0]}}): "p, nodes.d.at: must be two numbers",
    broken(nodes={"a.b": node}): "p, nodes.a.b: A node cannot be named 'a.b'",
    broken(wires=["d.out"]): "p, wires[0]: 'd.out' must read 'NODE.OUTPUT -> NODE.INPUT'.",
    broken(wires=["d.out -> e.in"]): "p, wires[0]: There is no node 'e'; there are d.",
    broken(training={"epochs": 0}): "p, training.epochs: Training: Epochs must be 1 to 100000; got 0.",
}


@pytest.mark.parametrize(("text", "words"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_file_is_refused_where_it_is_wrong(text, words):
    with pytest.raises(ProjectError) as caught:
        read_project(text, "p")
    assert words in str(caught.value)


def test_files_that_are_no_text_or_not_there_are_refused(tmp_path):
    (tmp_path / "b.polybit").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectError, match="not a text file in UTF-8"):
        open_project(tmp_path / "b.polybit")
    with pytest.raises(ProjectError, match="Cannot read it"):
        open_project(tmp_path / "missing.polybit")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_mutated_files_give_a_sentence_or_a_project(data):
    text = list(project_text(whole()))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.sampled_from(list('{}[]":,0-.ex \n\\u\x00')))
    with suppress(PolybitError):  # any other error fails the test
        read_project("".join(text), "p")


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "p.polybit"
    save_project(Project(name="old"), path)
    with pytest.raises(PolybitError, match="Cannot write"):
        save_project(Project(name="new"), tmp_path / "nowhere" / "p.polybit")
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_project(Project(view={"zoom": float("nan")}), path)
    assert open_project(path).name == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["p.polybit"]


def test_a_missing_data_file_is_a_note_and_a_problem(tmp_path):
    graph = Graph().add("data", NODES["data.npz"](path="gone.npz"))
    save_project(Project(graph=graph), tmp_path / "p.polybit")
    project = open_project(tmp_path / "p.polybit")
    assert "gone.npz" in project.notes[0]
    assert project.graph.problems()[0].what == "The data file has not been read."
