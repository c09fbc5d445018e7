"""logic/event_matching.py: rules of packs over a sequence of events, and the guard that takes them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from engine.files.store import read_texts, write_texts
from engine.graph import Graph
from engine.logic import packs, sequence
from engine.logic.event_matching import matched_events
from engine.logic.matching import matched
from engine.logic.pipeline import NONE, OPTIMAL
from engine.logic.sequence import Sequence
from engine.ports import Column, Spec

SHOP = """
[pack]
title = "Shop"
domain = "logistics"
text = "Made for a test."
licence = "CC0-1.0"
[variables.express]
kind = "flag"
given = true
[variables.way]
kind = "events"
values = ["ship", "order", "recall"]
[variables.other]
kind = "events"
values = ["order", "ring"]
[variables.paid]
kind = "flag"
[rules]
text = '''
rule first: way.order and way.order before ship
rule fast: if express then deadline(ship, {limit})
rule back: precedence(way.ship, recall)
rule ring: response(ring, other.order)
rule free: if paid then ship
'''
"""


LEFT = (
    "Shop: ring and free are not about these events alone and left out here: "
    "a Constraint guard takes packs too."
)


def ship(folder, text):
    """Let `text` be the shipped pack shop, as if the program had just started."""
    (folder / "shop.toml").write_text(text)
    packs.packs.cache_clear()
    sequence._guard.cache_clear()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    made = tmp_path / "domains"
    made.mkdir()
    monkeypatch.setattr(packs, "FOLDER", made)
    ship(made, SHOP.format(limit=2))
    yield made
    monkeypatch.undo()
    packs.packs.cache_clear()
    sequence._guard.cache_clear()


def test_rules_of_the_sequence_that_shares_most_events_are_taken():
    rules = matched_events("rule back: absence(bill, 2)", ("order", "bill", "ship"), (), ["shop"])
    assert rules.names == ("back", "first", "fast", "shop: back")
    assert [v.values for v in rules.vocabulary.sequences] == [("order", "bill", "ship", "recall")]
    assert [c.name for c in rules.columns] == ["express"]
    assert rules.notes == (
        "Shop: recall is no event here: it never happens.",
        "Shop: express is no column here: a gap, which breaks no rule.",
        LEFT,
    )


def test_a_pack_of_other_events_is_left_out_and_said_to_be():
    rules = matched_events("rule a: end(x)", ("x", "y"), (), ["shop"])
    assert rules.names == ("a",)
    assert rules.notes == ("Shop: none of its events is an event here, so its rules are left out.",)


def test_each_guard_names_the_other():
    rules = matched("", ("ship", "keep"), (), ["shop"])
    assert any("a Sequence guard takes packs too" in note for note in rules.notes)


def specs():
    return Spec("real", (3, 2)), Spec("facts", (1,), columns=(Column("express", ("no", "yes")),))


def guarded(scores, facts):
    node = Sequence(events="order, ship", packs="shop")
    return node.predictor({}, *specs())(scores, facts)


def test_the_guard_keeps_the_rules_of_its_packs():
    scores = np.zeros((3, 3, 2), np.float32)
    scores[:, :, 1] = [2, 3, 1]  # ship, ship, ship: it needs an order before
    scores[2, :, 1] = -np.inf
    _, events, broken, left, told = guarded(scores, np.array([[0.0], [1.0], [1.0]]))
    assert events[:2].tolist() == [[0, 1, 1], [0, 1, 1]]
    assert broken[:, 0].tolist() == [1, 1, 0]
    assert not left[:2].any()
    assert told[:2, 0].tolist() == [OPTIMAL, OPTIMAL]
    assert told[2, 0] == NONE  # express, and no ship can be


def test_what_is_not_there_is_told_in_the_window():
    node = Sequence(events="order, ship", packs="shop")
    assert node.warnings(*specs())[0] == "Shop: recall is no event here: it never happens."
    assert dict(node.rows())["Packs"] == "shop"


def test_a_model_file_carries_the_pack_as_it_was(folder, tmp_path):
    graph = Graph().add("guard", Sequence(events="order, ship", packs="shop"))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        write_texts(file, graph)
    ship(folder, SHOP.format(limit=3))
    with h5py.File(tmp_path / "m.h5") as file:
        node = read_texts(file, graph, "m.h5").node("guard")
    assert isinstance(node, Sequence)
    assert node.texts() == {"shop": SHOP.format(limit=2)}
    late = np.zeros((1, 3, 2), np.float32)
    late[0, :2, 0], late[0, 2, 1] = 1, 1  # order, order, ship
    assert node.predictor({}, *specs())(late, np.array([[1.0]]))[2].tolist() == [[0, 1, 0]]
    assert guarded(late, np.array([[1.0]]))[2].tolist() == [[0, 0, 0]]
