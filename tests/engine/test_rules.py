"""The constraint guard as a node: its specs, its problems, and what it lets through."""

from __future__ import annotations

import numpy as np
import pytest

from engine.logic.pipeline import STATUS
from engine.logic.repair import ENGINES
from engine.logic.rules import MANY, Rules
from engine.logic.solver import shared_solver
from engine.node import ShapeError
from engine.ports import Column, Spec

SCORES = Spec("scores", (3,))
NAMED = Spec("scores", (3,), classes=("acc", "good", "unacc"))
LABELS = Spec("labels", (), classes=("acc", "good", "unacc"))
FACTS = Spec("facts", (2,), columns=(Column("safety", ("low", "high")), Column("x")))
TEXT = "rule low: if safety = low then class = unacc\nrule: if x > 3 then class != acc"


@pytest.fixture(autouse=True)
def _closed():
    yield
    shared_solver().close()


def test_outputs_are_scores_broken_and_left_with_a_column_a_rule():
    assert [port.name for port in Rules.outputs] == ["scores", "broken", "left", "status"]
    scores, broken, left, status = Rules(rules=TEXT).specs(NAMED, FACTS, None)
    assert [column.name for column in status.columns] == ["status", "engine"]
    assert (scores.shape, scores.classes) == ((3,), NAMED.classes)
    assert [column.name for column in broken.columns] == ["low", "rule 2"]
    assert broken == left
    assert broken.shape == (2,)


def test_it_replaces_a_forbidden_answer_and_says_which_rule_it_broke():
    node = Rules(rules=TEXT)
    predict = node.predictor({}, SCORES, FACTS, LABELS)
    raw = np.array([[3, 2, 1], [3, 2, 1], [1, 2, 3]], np.float32)
    facts = np.array([[0, 1], [1, 4], [np.nan, np.nan]])
    scores, broken, left, status = predict(raw, facts, np.full(3, -1))
    assert [STATUS[int(i)] for i in status[:, 0]] == ["optimal", "optimal", "allowed"]
    assert [ENGINES[int(i)] for i in status[:, 1]] == ["every class", "every class", "check"]
    assert scores.argmax(1).tolist() == [2, 1, 2]
    assert scores.dtype == np.float32
    assert broken.tolist() == [[1, 0], [0, 1], [0, 0]]
    assert (broken.dtype, left.dtype) == (np.float64, np.float64)
    assert not left.any()


def test_where_no_class_is_left_all_scores_are_ruled_out_and_the_rules_stay_broken():
    node = Rules(rules="rule a: class = acc\nrule b: class = good")
    scores, broken, left, status = node.predictor({}, NAMED, None, None)(
        np.ones((1, 3), np.float32), None, None
    )
    assert np.isneginf(scores).all()
    assert broken.tolist() == left.tolist() == [[0, 1]]
    assert STATUS[int(status[0, 0])] == "none"


def test_no_rules_let_everything_through_and_start_no_solver():
    node = Rules()
    scores, broken, left, _ = node.predictor({}, NAMED, None, None)(np.ones((2, 3), np.float32), None, None)
    assert scores.tolist() == [[1, 1, 1]] * 2
    assert broken.shape == left.shape == (2, 0)
    assert not shared_solver().running


def test_classes_without_names_are_known_by_their_index():
    rules = Rules(rules="rule: class in {1, 2}").rule_set(SCORES, None, None)
    assert rules.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("text", "inputs", "words"),
    [
        ("rule low", (NAMED, FACTS, None), "line 1, column 6: The text ends in the middle of a rule."),
        ("rule: class = god", (NAMED, FACTS, None), "line 1, column 15: There is no class 'god'."),
        ("rule: x > 1", (NAMED, None, None), "no facts are wired"),
        ("rule: y > 1", (NAMED, FACTS, None), "There is no column 'y'"),
    ],
)
def test_a_bad_text_is_a_problem_of_the_parameter(text, inputs, words):
    with pytest.raises(ShapeError) as caught:
        Rules(rules=text).specs(*inputs)
    assert caught.value.parameter == "rules"
    assert words in caught.value.what
    assert caught.value.do


@pytest.mark.parametrize(
    ("scores", "labels", "port", "words"),
    [
        (Spec("scores", (2, 3)), None, "scores", "one row of classes"),
        (Spec("scores", (4,)), LABELS, "labels", "name 3 classes; the scores have 4"),
        (Spec("scores", (3,), classes=("x", "y", "z")), LABELS, "labels", "name different classes"),
    ],
)
def test_inputs_that_do_not_fit_each_other_are_a_problem_of_the_port(scores, labels, port, words):
    with pytest.raises(ShapeError, match=words) as caught:
        Rules().specs(scores, None, labels)
    assert caught.value.port == port


def test_the_gradient_stage_steps_over_it():
    assert Rules.corrects == "scores"


def test_the_node_shows_how_many_rules_it_holds():
    assert Rules(rules=TEXT).rows()[0] == ("Rules", "2")
    assert Rules(rules="rule").rows()[0] == ("Rules", "cannot be read")


def test_a_quoted_value_that_the_data_lacks_is_a_warning() -> None:
    node = Rules(rules='rule a: if colour = "green" then class = "0"')
    specs = (Spec("scores", (2,)), Spec("facts", (1,), columns=(Column("colour", ("red",)),)), None)
    assert len(node.specs(*specs)) == 4
    (words,) = node.warnings(*specs)
    assert "green" in words
    assert Rules(rules='rule a: if colour = red then class = "0"').warnings(*specs) == ()


SYMPTOMS = Spec("scores", (3,), classes=("fever", "cough", "flu"))
SEVERAL = (
    "rule a: if flu then fever\nrule b: if safety = low then not fever\nrule c weight 1: if cough then flu"
)


def test_several_labels_are_repaired_together_and_the_signs_of_the_scores_say_so():
    node = Rules(rules=SEVERAL, decides=MANY)
    predict = node.predictor({}, SYMPTOMS, FACTS, None)
    raw = np.array([[-1, -2, 3], [-1, -2, 3], [-4, 0.5, 3], [-1, 5, -0.25]], np.float32)
    facts = np.array([[1, 0], [0, 0], [1, 0], [0, np.nan]])
    scores, broken, left, status = predict(raw, facts, None)
    assert scores.tolist() == [[1, -2, 3], [-1, -2, -3], [-4, -0.5, -3], [-1, 5, -0.25]]
    assert broken.tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert left.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert [STATUS[int(i)] for i in status[:, 0]] == ["optimal"] * 4
    assert not shared_solver().running


def test_labels_that_cannot_keep_the_rules_all_score_minus_infinity():
    node = Rules(rules="rule a: fever\nrule b: if x > 3 then not fever", decides=MANY)
    scores, _, left, status = node.predictor({}, SYMPTOMS, FACTS, None)(
        np.ones((2, 3), np.float32), np.array([[0, 4.0], [0, np.nan]]), None
    )
    assert np.isneginf(scores[0]).all()
    assert scores[1].tolist() == [1, 1, 1]
    assert left.tolist() == [[0, 1], [0, 0]]
    assert [STATUS[int(i)] for i in status[:, 0]] == ["none", "allowed"]


def test_packs_that_are_not_there_are_a_problem_of_the_node():
    with pytest.raises(ShapeError, match="no domain pack 'nonsense'"):
        Rules(packs="nonsense").specs(NAMED, FACTS, None)
