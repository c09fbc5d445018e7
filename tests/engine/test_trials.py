"""logic/trials.py: what is drawn, how samples are read, and that a broken rule would be counted."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import RuleError
from engine.logic.pack import Sample
from engine.logic.pipeline import Engine
from engine.logic.ruleset import RuleSet
from engine.logic.trials import Trial, drawn, facts_of, orders_of, parted, tried, values_of
from engine.logic.vocabulary import Variable, Vocabulary

WORDS = Vocabulary(
    (
        Variable("hot", given=True),
        Variable("colour", "category", given=True, values=("red", "green", "blue")),
        Variable("size", "number", given=True, least=1.5, most=2.5),
        Variable("count", "integer", given=True, least=-2, most=2),
        Variable("yes"),
        Variable("level", "integer", least=3, most=5),
        Variable("half", "number", least=0, most=1, step=0.5),
        Variable("log", "events", values=("a", "b", "c")),
    )
)
TEXT = """
rule one: if hot then yes
rule two: if colour = red then level = 5
rule three: precedence(a, b)
rule four weight 1: not yes
rule five: half > 0
"""


def test_facts_are_drawn_over_their_domains_with_gaps():
    facts = drawn(WORDS, 4000, np.random.default_rng(0))
    assert facts.shape == (4000, 4)
    assert 0.03 < np.isnan(facts).mean() < 0.07
    assert set(np.unique(facts[:, 0][~np.isnan(facts[:, 0])])) == {0, 1}
    assert set(np.unique(facts[:, 1][~np.isnan(facts[:, 1])])) == {0, 1, 2}
    assert np.nanmin(facts[:, 2]) >= 1.5
    assert np.nanmax(facts[:, 2]) <= 2.5
    assert set(np.unique(facts[:, 3][~np.isnan(facts[:, 3])])) == {-2, -1, 0, 1, 2}
    assert not np.isnan(drawn(WORDS, 100, np.random.default_rng(0), gaps=0)).any()


def test_a_number_without_limits_cannot_be_drawn():
    with pytest.raises(RuleError, match="weight has no least and most value"):
        drawn(Vocabulary((Variable("weight", "number", given=True),)), 3, np.random.default_rng(0))


def test_samples_become_rows():
    samples = [
        Sample("x", {"hot": True, "colour": "blue", "size": 2}, {"yes": True, "level": 4, "half": 0.5}),
        Sample("y", {"count": -1}, {"level": 3}),
    ]
    facts = facts_of(WORDS, samples)
    np.testing.assert_array_equal(facts, [[1, 2, 2, np.nan], [np.nan, np.nan, np.nan, -1]])
    np.testing.assert_array_equal(values_of(WORDS, samples), [[1, 1, 1], [-1, 0, -1]])


def test_rules_over_sequences_are_parted_from_the_others():
    rules = RuleSet.over(TEXT, WORDS)
    plain, ordered = parted(rules)
    assert plain.names == ("one", "two", "four", "five")
    assert [rule.name for rule in ordered[0]] == ["three"]
    (order,) = orders_of(rules)
    logs = [{"log": ("b", "a")}, {"log": ("c", "a", "b")}, {}, {"log": ()}]
    assert order.broken([Sample("", {}, log) for log in logs])[:, 0].tolist() == [True, False, False, False]
    assert order.broken([]).shape == (0, 1)


def test_samples_are_judged_by_their_stamps_and_places():
    text = """
rule soon: response(a, b, within 10 min)
rule slow: speed(a or b, 900)
rule order: precedence(a, b)
"""
    (order,) = orders_of(RuleSet.over(text, WORDS))
    berlin, rome = (52.52, 13.4), (41.9, 12.5)  # 1,184 km apart
    told = [
        ({"log": (0.0, 601.0)}, {}, ["soon"]),
        ({"log": (0.0, 600.0)}, {}, []),
        ({}, {}, []),
        ({"log": (0.0, 540.0)}, {"log": (berlin, rome)}, ["slow"]),
        ({"log": (0.0, 7200.0)}, {"log": (berlin, rome)}, ["soon"]),
        ({"log": (0.0, 540.0)}, {"log": (berlin, (np.nan, np.nan))}, []),
        ({"log": (0.0, np.nan)}, {"log": (berlin, rome)}, []),
    ]
    samples = [
        Sample("", {}, {"log": ("a", "b")}, stamps=stamps, places=places) for stamps, places, _ in told
    ]
    found = [[name for name, b in zip(order.names, row, strict=True) if b] for row in order.broken(samples)]
    assert found == [broken for *_, broken in told]


def test_a_trial_counts_what_broke_and_leaves_nothing_broken():
    found = tried(RuleSet.over(TEXT, WORDS), 2000, seed=3)
    again = tried(RuleSet.over(TEXT, WORDS), 2000, seed=3)
    assert replace(again, seconds=found.seconds) == found
    assert found.records == 2000
    assert found.none == 0
    assert found.broken_before > 1000
    assert found.broken_before > found.breaking_before > 500
    assert found.broken_after == found.breaking_after == 0
    assert found.rules == {}


def test_answers_that_are_not_repaired_would_be_counted(monkeypatch):
    def unrepaired(self, predicted, costs):
        done = self.__class__.__wrapped__(self, predicted, costs)
        done.values[:] = predicted
        return done

    monkeypatch.setattr(Engine, "__wrapped__", Engine.__call__, raising=False)
    monkeypatch.setattr(Engine, "__call__", unrepaired)
    found = tried(RuleSet.over(TEXT, WORDS), 500, seed=3)
    assert found.broken_after > found.breaking_after > 200
    assert sum(found.rules.values()) == found.broken_after
    assert set(found.rules) == {"one", "two", "five"}


def test_records_without_an_allowed_answer_are_told_apart():
    text = "rule a: if hot then yes\nrule b: if colour = red then not yes\n"
    found = tried(RuleSet.over(text, WORDS), 1000, seed=1)
    assert 100 < found.none < 250
    assert found.broken_after == 0


def test_trials_add_up():
    total = Trial(2, 1, 0, 2, 1, 3, 1, 0.5, {"a": 1}) + Trial(3, 1, 1, 3, 2, 4, 2, 0.25, {"a": 1, "b": 1})
    assert total == Trial(5, 2, 1, 5, 3, 7, 3, 0.75, {"a": 2, "b": 1})


def test_sequences_are_tried_with_stamps_and_places_where_rules_ask_for_them():
    text = (
        "rule soon: response(order, ship, within 3 days)\nrule few: limit(pay, 1, per 24 h)\n"
        "rule way: speed(pay, 900)\nrule first: precedence(order, ship)"
    )
    way = Variable("way", "events", values=("order", "ship", "pay", "note"))
    found = tried(RuleSet.over(text, Vocabulary((way,))), 150, seed=1)
    assert found.records == 150
    assert found.breaking_before > 100
    assert found.changed > 100
    assert found.broken_after == 0
    without = tried(
        RuleSet.over(text.replace(" days", "").replace(" h", ""), Vocabulary((way,))), 150, seed=1
    )
    assert without.broken_after == 0
