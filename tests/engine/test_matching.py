"""logic/matching.py: rules of packs over the columns and classes of a data set."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import RuleError
from engine.logic import matching
from engine.logic.formula import ValueIn
from engine.logic.matching import matched, pack_keys
from engine.logic.pack import Pack
from engine.logic.packs import packs
from engine.logic.repair import Repair
from engine.logic.rules import Rules
from engine.logic.several import Several
from engine.logic.vocabulary import Variable, Vocabulary
from engine.ports import Column, Spec

WARD = Vocabulary(
    (
        Variable("suspected", "flag", given=True),
        Variable("lactate", "number", given=True),
        Variable("site", "category", given=True, values=("lung", "gut", "skin")),
        Variable("weight", "number", given=True),
        Variable("antibiotics"),
        Variable("cultures"),
        Variable("bed", "category", values=("none", "normal", "intensive")),
    )
)
RULES = """
rule treat: if suspected then antibiotics
rule first: if antibiotics then cultures
rule bed: if lactate > 4 then bed = intensive
rule gut: if site = gut then bed != none
rule heavy: if weight > 150 then bed = normal
"""
COLUMNS = (Column("lactate"), Column("suspected"), Column("site", ("lung", "skin")))


@pytest.fixture(autouse=True)
def _pack(monkeypatch):
    made = Pack("ward", "Ward", "medical", "", "CC0-1.0", "", "", "", (), WARD, RULES)
    monkeypatch.setattr(matching, "pack_of", lambda key, carried: {"ward": made}[key])


def test_keys_are_separated_by_commas():
    assert pack_keys(" ward, ,gut,ward ") == ("ward", "gut")
    assert pack_keys("") == ()


def test_a_category_whose_values_are_the_classes_is_the_class_and_the_rest_is_free():
    rules = matched("rule first: lactate <= 9", ("intensive", "normal", "none"), COLUMNS, ["ward"])
    assert rules.names == ("first", "treat", "ward: first", "bed", "gut", "heavy")
    assert [v.name for v in rules.vocabulary.decided] == ["class", "antibiotics", "cultures"]
    assert [c.name for c in rules.columns] == ["lactate", "suspected", "site", "weight"]
    assert rules.columns[2].categories == ("lung", "skin", "gut")
    facts = np.array([[5, 1, 0], [1, 1, 0], [np.nan, 0, 2]])
    done = Repair(rules)(np.array([[0, 1, 2]] * 3, np.float32), facts)
    assert done.labels.tolist() == [0, 2, 1]
    assert done.allowed.tolist() == [[True, False, False], [True] * 3, [True, True, False]]


def test_what_the_data_does_not_have_is_noted():
    rules = matched("", ("none", "normal", "intensive"), COLUMNS, ["ward"])
    assert rules.notes == (
        "No record of the data has site = gut, which Ward names.",
        "Ward: weight is no column here: a gap, which breaks no rule.",
        "Ward: antibiotics and cultures are no classes here: whatever suits the rules.",
    )


def test_flags_with_the_names_of_classes_are_classes_or_labels():
    one = matched("", ("cultures", "antibiotics"), COLUMNS, ["ward"])
    treat, first = one.rules[0].bound, one.rules[1].bound
    assert treat.then == ValueIn(0, (1,))
    assert (first.condition, first.then) == (ValueIn(0, (1,)), ValueIn(0, (0,)))
    labels = matched("", ("cultures", "antibiotics"), COLUMNS, ["ward"], several=True)
    assert [v.kind for v in labels.vocabulary.decided] == ["flag", "flag", "category"]
    several = Several(labels)
    done = several(np.array([[-1, -2, 0, 0, 0]], np.float32), np.array([[1.0, 1.0, 0.0]]))
    assert done.values[0, :2].tolist() == [1, 1]


def test_a_fact_of_a_pack_that_the_data_decides_differently_is_an_error():
    with pytest.raises(RuleError):
        matched("rule: nothing = 1", ("none",), COLUMNS, ["ward"])


@pytest.mark.parametrize("decides", ["class", "labels"])
def test_a_guard_takes_every_shipped_pack_over_data_that_has_nothing_of_it(decides, monkeypatch):
    monkeypatch.undo()
    for key in packs():
        node = Rules(packs=key, decides=decides)
        scores = Spec("scores", (2,), classes=("first class", "second class"))
        facts = Spec("facts", (1,), columns=(Column("nothing of the kind"),))
        rules = node.rule_set(scores, facts, None)
        assert rules.notes
        out, broken, left, _ = node.predictor({}, scores, facts, None)(
            np.array([[1, 2], [2, 1]], np.float32), np.array([[0.0], [np.nan]]), None
        )
        assert out.tolist() == [[1, 2], [2, 1]]
        assert not left.any()
        assert broken.shape == (2, len(rules.rules))
