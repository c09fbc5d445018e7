"""Models with domain packs: they hold the packs as they were, whatever is shipped later."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from tests_programs import program_of
from tests_wiring import wired

from engine.catalog import NODES
from engine.errors import ModelError
from engine.files.model import load_model, write_model
from engine.files.project import Project, project_text, read_project
from engine.logic import packs, rules
from engine.ports import Column
from engine.records import Header

WARD = """
[pack]
title = "Ward"
domain = "medical"
text = "Made for a test."
licence = "CC0-1.0"
[variables.lactate]
kind = "number"
given = true
least = 0
most = 20
[variables.bed]
kind = "category"
values = ["none", "normal", "intensive"]
[rules]
text = "rule bed: if lactate > {limit} then bed = normal"
"""
HEADER = Header((4,), ("none", "normal", "intensive"), (Column("lactate"),), 0)


def ship(folder, files):
    """Let the packs in `files` be the shipped ones, as if the program had just started."""
    for path in folder.glob("*.toml"):
        path.unlink()
    for key, text in files.items():
        (folder / f"{key}.toml").write_text(text)
    packs.packs.cache_clear()
    rules._bound.cache_clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = tmp_path / "domains"
    made.mkdir()
    monkeypatch.setattr(packs, "FOLDER", made)
    ship(made, {"ward": WARD.format(limit=4)})
    yield made
    monkeypatch.undo()
    packs.packs.cache_clear()
    rules._bound.cache_clear()


@pytest.fixture
def program(folder):
    graph = wired(
        {
            "data": NODES["data.npz"](path="x.npz", header=HEADER),
            "head": NODES["bnn.dense"](units=3),
            "rules": NODES["logic.rules"](packs="ward"),
            "out": NODES["flow.output"](),
        },
        [
            "data.samples -> head.in",
            "head.out -> rules.scores",
            "data.facts -> rules.facts",
            "data.labels -> rules.labels",
            "rules.scores -> out.scores",
            "data.labels -> out.labels",
        ],
    )
    return program_of(graph, 0)


def answers(program):
    rng = np.random.default_rng(1)
    samples, facts = rng.standard_normal((200, 4)).astype(np.float32), rng.uniform(0, 9, (200, 1))
    return program.answer(program.records(samples, facts))


def same(one, other):
    fields = ("scores", "labels", "broken", "left")
    return all(getattr(one, f).tobytes() == getattr(other, f).tobytes() for f in fields)


@pytest.fixture
def model(program, tmp_path):
    write_model(tmp_path / "m.h5", program, Project(graph=program.graph))
    return tmp_path / "m.h5"


def test_a_model_answers_by_the_pack_it_was_exported_with(folder, program, model):
    expected = answers(program)
    assert 0 < expected.violations_raw < 200
    ship(folder, {"ward": WARD.format(limit=1)})
    assert not same(answers(replace(program)), expected)
    assert same(answers(load_model(model)), expected)


@pytest.mark.parametrize("there", [{}, {"ward": "no pack at all"}], ids=["absent", "broken"])
def test_a_model_needs_no_shipped_pack_and_can_be_exported_again(folder, program, model, there, tmp_path):
    expected = answers(program)
    ship(folder, there)
    loaded = load_model(model)
    write_model(tmp_path / "again.h5", loaded, Project(graph=loaded.graph))
    assert (tmp_path / "again.h5").read_bytes() == model.read_bytes()
    assert same(answers(load_model(tmp_path / "again.h5")), expected)


def test_a_project_keeps_the_key_alone(program, model):
    loaded = load_model(model).graph
    text = project_text(Project(graph=loaded))
    assert text == project_text(Project(graph=program.graph))
    node = read_project(text, "p").graph.node("rules")
    assert (node.packs, node.carried) == ("ward", ())
    assert loaded.node("rules").texts() == {"ward": WARD.format(limit=4)}


def changed(model, texts):
    with h5py.File(model, "r+") as file:
        del file["packs"]
        if texts is not None:
            file["packs"] = np.frombuffer(json.dumps(texts).encode(), np.uint8)


def test_a_model_of_before_takes_the_shipped_pack(folder, program, model, monkeypatch):
    changed(model, None)
    monkeypatch.setattr("engine.hdf5.check_seal", lambda *_: None)
    ship(folder, {"ward": WARD.format(limit=1)})
    assert same(answers(load_model(model)), answers(program_of(program.graph, 0)))


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"nobody": {"ward": WARD}}, "'packs' speaks of 'nobody', which takes no packs"),
        ({"head": {"ward": WARD}}, "'packs' speaks of 'head', which takes no packs"),
        ({"rules": ["ward"]}, "'packs' does not hold the packs of 'rules'"),
        ({"rules": {"ward": 3}}, "'packs' does not hold the packs of 'rules'"),
        ({"rules": {"ward": "[pack"}}, "Its graph does not hold together: .*ward"),
        ({"rules": {"ward": WARD.replace("lactate > {limit}", "weight > 1")}}, "There is no .*'weight'"),
        ({"rules": {"ward": "#" * 600_000}}, "A pack has at most 524,288 characters"),
        ([], "'packs' is not an object"),
    ],
)
def test_packs_that_are_none_get_a_sentence(model, texts, words):
    changed(model, texts)
    with pytest.raises(ModelError, match=words):
        load_model(model)
