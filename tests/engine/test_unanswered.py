"""lint/unanswered.py: facts that leave no answer, against all facts and all answers."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver as Sat
from random_rules import CLASSES, COLUMNS, random_formula

from engine.logic.formula import Statement
from engine.logic.lint.linear import impossible, solution
from engine.logic.lint.memory import Memory
from engine.logic.lint.text import TextExamination
from engine.logic.printing import print_rules
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import Variable, Vocabulary

DATA = Vocabulary.of(CLASSES, COLUMNS)
X = (-2.0, -1.0, 0.0, 2.5, 2.7, 3.0, 5.0, 7.0, 8.0, np.nan)
FACTS = np.array(list(itertools.product((0.0, 1.0, 2.0, np.nan), (0.0, 1.0, np.nan), X)))

WARD = Vocabulary(
    (
        Variable("fever", given=True),
        Variable("ward", "category", given=True, values=("a", "b", "c")),
        Variable("age", "integer", given=True, least=0, most=4),
        Variable("test"),
        Variable("alarm"),
        Variable("dose", "integer", least=0, most=2),
        Variable("drug", "category", values=("p", "q", "none")),
    )
)
WARD_FACTS = np.array(
    list(itertools.product((0.0, 1.0, np.nan), (0.0, 1.0, 2.0, np.nan), (0.0, 1.0, 2.0, 3.0, 4.0, np.nan)))
)
GIVEN = ["fever", "not fever", "ward = a", "ward in {a, b}", "ward != c", "age > 1", "age <= 2", "age = 3"]
GIVEN += ["age is missing", "ward is known"]
DECIDED = ["test", "not test", "alarm", "not alarm", "dose > 0", "dose < 2", "drug = p", "drug in {q, none}"]
DECIDED += ["test + dose <= 1", "test + alarm + dose >= 2", "at most 1 of (test, alarm, drug = p)"]


def examined(text, vocabulary, memory=None, patience=math.inf):
    solvers = []

    def make(clauses):
        solvers.append(Sat(name="glucose4", bootstrap_with=clauses))
        return solvers[-1]

    examination = TextExamination(text, vocabulary, {}, memory or Memory(), make, patience)
    while not examination.run(60.0):
        pass
    checked = examination.checked()
    for each in solvers:
        each.delete()
    return checked, examination.stranded


def without_answer(checked):
    return [finding for finding in checked.findings if finding.kind == "no answer"]


def ward_text(rng, rules):
    """Return rules that mostly decide something under some facts."""
    lines = []
    for i in range(rules):
        facts = rng.sample(GIVEN, rng.randint(0, 2))
        decided = rng.sample(DECIDED, rng.randint(1, 2) if facts or rng.random() < 0.5 else 1)
        body = rng.choice([" and ", " or "]).join(decided)
        if facts:
            body = f"if {rng.choice([' and ', ' or ']).join(facts)} then {body}"
        if rng.random() < 0.15:
            body = f"not ({' and '.join(rng.sample(GIVEN, 2))})"
        elif rng.random() < 0.1:
            body = f"({facts[0] if facts else 'fever'}) iff ({decided[0]})"
        soft = f" weight {rng.randint(1, 3)}" if rng.random() < 0.1 else ""
        lines.append(f"rule r{i}{soft}: {body}")
    return "\n".join(lines)


class Brute:
    """All records that rules can tell apart, with every answer."""

    def __init__(self, text, vocabulary, facts):
        self.rules = rules = RuleSet.over(text, vocabulary)
        sizes = [2 if v.kind == "flag" else len(v.names) for v in rules.vocabulary.decided]
        answers = np.array(list(itertools.product(*map(range, sizes))), np.int64)
        self.tests = rules.outcomes(facts)
        broken = rules.broken(np.repeat(facts, len(answers), axis=0), np.tile(answers, (len(facts), 1)))
        self.broken = broken.reshape(len(facts), len(answers), len(rules.rules))
        open_ = np.full((len(facts), len(sizes)), -1, np.int64)
        self.hard = np.array([rule.weight is None for rule in rules.rules])
        # What is decided matters to a rule where it is broken by some answers and not by others.
        self.unknown = rules.broken(facts, open_)

    def stuck(self, rules):
        """Return which facts let no answer keep some rules."""
        return self.broken[:, :, list(rules)].any(2).all(1)

    def matching(self, settled):
        rows = np.ones(len(self.tests), np.bool_)
        for test, holds in settled:
            rows &= self.tests[:, test] == holds
        return rows


def check(text, vocabulary, facts, memory=None, *, exact=True):
    """Compare what is told with brute force; with sums of whole numbers it need not be `exact`ly minimal."""
    checked, found = examined(text, vocabulary, memory)
    assert checked.finished
    brute = Brute(text, vocabulary, facts)
    if not checked.satisfiable:
        assert found is None
        return 0
    assert found.decided
    hard = set(np.flatnonzero(brute.hard).tolist())
    possible = ~brute.unknown[:, list(found.alone)].any(1)
    deciding = sorted(hard - set(found.alone))
    for core, ways in found.clashes.items():
        assert set(core) <= set(deciding)
        stuck = brute.stuck(core)
        for way in ways:
            rows = brute.matching(way.settled)
            assert stuck[rows].all(), (text, core, way)
            assert (rows & possible).any() or (not exact and way.facts is None), (text, core, way)
            if way.facts is not None:
                tests = brute.rules.outcomes(way.facts[None])
                assert all(tests[0, test] == holds for test, holds in way.settled)
            if not exact:
                continue
            for i in range(len(way.settled)):
                rest = way.settled[:i] + way.settled[i + 1 :]
                assert not stuck[brute.matching(rest)].all(), (text, core, way)
            for rule in core:
                assert not brute.stuck([r for r in core if r != rule])[rows].all(), (text, core, way)
    told = np.logical_or.reduce(
        [brute.stuck(core) for core in found.clashes] or [np.zeros(len(facts), np.bool_)]
    )
    if not found.more:
        missed = brute.stuck(deciding) & possible & ~told
        assert not missed.any(), (text, facts[missed])
    else:
        assert len(found.clashes) == 5
    return len(found.clashes)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_facts_that_leave_no_class_are_those_of_brute_force(seed):
    rng = random.Random(seed)  # noqa: S311
    statements = [
        Statement(f"r{i}", random_formula(rng, rng.randint(1, 2))) for i in range(rng.randint(1, 5))
    ]
    check(print_rules(tuple(statements)), DATA, FACTS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_facts_that_leave_no_answer_of_many_variables_are_those_of_brute_force(seed):
    rng = random.Random(seed)  # noqa: S311
    check(ward_text(rng, rng.randint(1, 8)), WARD, WARD_FACTS)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_remembered_changes_nothing_about_facts_without_an_answer(seed):
    rng, memory = random.Random(seed), Memory()  # noqa: S311
    lines = ward_text(rng, 6).split("\n")
    for _ in range(5):
        check("\n".join(lines), WARD, WARD_FACTS, memory)
        place = rng.randrange(len(lines))
        lines[place] = ward_text(rng, 1).replace("rule r0", f"rule r{place}")


SUMS = Vocabulary(
    (
        Variable("a", "integer", given=True, least=0, most=4),
        Variable("b", "integer", given=True, least=0, most=4),
        Variable("f", given=True),
        Variable("class", "category", values=("u", "v", "w")),
        Variable("alarm"),
    )
)
SUM_FACTS = np.array(list(itertools.product((*range(5), np.nan), (*range(5), np.nan), (0.0, 1.0, np.nan))))


def sum_text(rng, rules):
    """Return rules over sums of whole numbers."""
    lines = []
    for i in range(rules):
        total = f"{rng.randint(1, 3)} * a {rng.choice('+-')} {rng.randint(1, 3)} * b"
        sums = [f"{total} {rng.choice(['<', '<=', '>', '>='])} {rng.randint(-3, 9)}"]
        sums.append(f"a {rng.choice(['<', '<=', '>'])} b")
        facts = rng.sample(
            [*sums, f"a > {rng.randint(0, 3)}", f"b < {rng.randint(1, 4)}", "f", "not f"], rng.randint(1, 3)
        )
        then = rng.choice(["class = u", "class != u", "class in {u, v}", "class = w", "alarm", "not alarm"])
        lines.append(
            f"rule r{i}: if {' and '.join(facts)} then {then}"
            if rng.random() < 0.9
            else f"rule r{i}: {facts[0]}"
        )
    return "\n".join(lines)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_with_sums_of_facts_too_nothing_is_missed_or_made_up(seed):
    rng = random.Random(seed)  # noqa: S311
    text = sum_text(rng, rng.randint(2, 7))
    check(text, SUMS, SUM_FACTS, exact=False)
    checked, _ = examined(text, SUMS)
    rules = RuleSet.over(text, SUMS)
    answers = np.array(list(itertools.product(range(3), range(2))), np.int64)
    whole = SUM_FACTS[~np.isnan(SUM_FACTS).any(1)]
    broken = rules.broken(np.repeat(whole, len(answers), axis=0), np.tile(answers, (len(whole), 1)))
    names = list(rules.names)
    for finding in checked.findings:
        others = [names.index(name) for name in finding.others]
        if finding.kind in ("implied", "same", "always", "gap"):
            assert not (broken[:, names.index(finding.rule)] & ~broken[:, others].any(1)).any(), (
                text,
                finding,
            )
    if not checked.satisfiable:
        assert broken.any(1).all()
    for i, rule in enumerate(checked.rules if checked.satisfiable else ()):
        alone = (broken.sum(1) == 1) & broken[:, i]
        assert not alone.any() or rule.status in ("needed", "unknown"), (text, rule)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_comparisons_are_told_impossible_where_no_numbers_fit(seed):
    rng = random.Random(seed)  # noqa: S311
    kind = rng.choice(["integer", "number"])
    columns = [Variable(name, kind, given=True, least=0, most=rng.choice([3, None])) for name in "abc"]
    lines = []
    for i in range(rng.randint(2, 7)):
        terms = " ".join(
            f"{rng.choice('+-')} {rng.randint(1, 3)} * {name}"
            for name in rng.sample("abc", rng.randint(1, 3))
        )
        lines.append(f"rule r{i}: 0 {terms} {rng.choice(['<', '<='])} {rng.randint(-4, 4)}")
    rules = RuleSet.over("\n".join(lines), Vocabulary((*columns, Variable("d"))))
    settled = [(test, rng.random() < 0.6) for test in rules.tests]
    grid = np.array(list(itertools.product(np.arange(0, 3.5, 1 if kind == "integer" else 0.5), repeat=3)))

    def fits(which, facts):
        found = [test.outcome(facts) == holds for test, holds in which]
        return np.logical_and.reduce(found) if found else np.ones(len(facts), np.bool_)

    told, wrong = solution(settled, columns), impossible(settled, columns)
    assert told.possible == (not wrong)
    if fits(settled, grid).any():
        assert told.possible
    if wrong:
        assert not fits([settled[i] for i in wrong], grid).any()
        for left in wrong:
            assert solution([settled[i] for i in wrong if i != left], columns).possible
    elif kind == "number":
        facts = np.array([[told.facts.get(i, 0.0) for i in range(3)]])
        assert fits(settled, facts).all(), (lines, settled, facts)


KEEPS = "keeps all rules: {} conflict there."
CAR = Vocabulary(
    (
        Variable("safety", "category", given=True, values=("low", "med", "high")),
        Variable("price", "number", given=True, least=0),
        Variable("cost", "number", given=True, least=1),
        Variable("old", given=True),
        Variable("class", "category", values=("unacc", "acc", "good")),
    )
)


def test_rules_that_conflict_under_some_facts_are_told_with_these_and_a_record():
    text = "rule one: if safety = low then class = unacc\n\n  rule two: if safety = low then class = good"
    checked, _ = examined(text, CAR)
    (finding,) = checked.findings
    assert (finding.kind, finding.severity, finding.rule, finding.others) == (
        "no answer",
        "warning",
        "two",
        ("one",),
    )
    assert (finding.line, finding.column) == (3, 3)
    assert finding.what == f"When safety = low, no answer {KEEPS.format('one and two')}"
    assert finding.facts == {"safety": "low"}
    assert checked.satisfiable
    assert type(checked).of_json(checked.as_json()) == checked


@pytest.mark.parametrize(
    ("rules", "when"),
    [
        (("if price > 3 then class = acc", "if price <= 10 then class = good"), "3 < price <= 10"),
        (("if price >= 3 then class = acc", "if old then class = good"), "price >= 3 and old = yes"),
        (("if price = 3 then class = acc", "if price < 5 then class = good"), "price = 3"),
        (("if price != 3 then class = acc", "if not old then class = good"), "price != 3 and old = no"),
        (
            ("if safety != low then class = acc", "if safety in {low, high} then class = good"),
            "safety = high",
        ),
        (
            ("if safety in {low, med} then class = acc", "if old then class != acc"),
            "safety != high and old = yes",
        ),
        (
            ("if old is missing then class = acc", "if safety is known then class = good"),
            "old is missing and safety is known",
        ),
        (
            ("if price >= 5 * cost then class = acc", "if cost > 7 then class = good"),
            "price >= 5 * cost and cost > 7",
        ),
        (
            ("if price + 2 < cost then class = acc", "if old then class = good"),
            "price < cost - 2 and old = yes",
        ),
        (
            ("if price / cost > 4 then class = acc", "if old then class = good"),
            "price / cost > 4 and old = yes",
        ),
    ],
)
def test_circumstances_are_told_as_they_would_be_written(rules, when):
    text = "\n".join(f"rule r{i}: {rule}" for i, rule in enumerate(rules))
    checked, found = examined(text, CAR)
    (finding,) = without_answer(checked)
    assert finding.what.startswith(f"When {when}, no answer keeps all rules: r0 and r1")
    ((way,),) = found.clashes.values()
    tests = RuleSet.over(text, CAR).outcomes(way.facts[None])
    assert all(tests[0, test] == holds for test, holds in way.settled)


def test_one_rule_may_leave_no_answer_by_itself():
    checked, _ = examined("rule r: if old then class = acc and class = good\nrule s: class != unacc", CAR)
    assert "When old = yes, no answer keeps r." in [f.what for f in checked.findings]


def test_numbers_that_no_record_can_have_are_no_finding():
    text = "rule r: if price >= 5 * cost then class = acc\nrule s: if price <= 3 * cost then class = good"
    checked, found = examined(text, CAR)
    assert without_answer(checked) == []  # cost is at least 1
    assert found.decided
    loose = Vocabulary(tuple(replace(v, least=None) for v in CAR.variables))
    (finding,) = without_answer(examined(text, loose)[0])
    assert finding.what.startswith("When price >= 5 * cost and price <= 3 * cost, no answer")
    assert float(finding.facts["price"]) >= 5 * float(finding.facts["cost"])


def test_rules_about_facts_alone_are_one_note_and_are_taken_to_be_kept():
    text = (
        "rule a: not (old and safety = low)\nrule b: if old then price < 10\n"
        "rule c: if old and safety = low then class = good\nrule d: if safety = low then class = unacc"
    )
    checked, _ = examined(text, CAR)
    notes = [f for f in checked.findings if f.kind == "facts alone"]
    assert [(f.severity, f.rule, f.others) for f in notes] == [("note", "a", ("b",))]
    assert notes[0].what == "a and b speak of facts alone: a record that breaks one of them has no answer."
    assert not without_answer(checked)


def test_of_many_conflicts_five_are_told_and_that_there_are_more():
    facts = [Variable(f"f{i}", given=True) for i in range(7)]
    vocabulary = Vocabulary((*facts, *(Variable(f"d{i}") for i in range(7))))
    text = "\n".join(f"rule a{i}: if f{i} then d{i}\nrule b{i}: if f{i} then not d{i}" for i in range(7))
    checked, found = examined(text, vocabulary)
    assert len(without_answer(checked)) == len(found.clashes) == 5
    assert "Other rules conflict too under some facts." in [f.what for f in checked.findings]


def test_facts_that_several_ways_lead_to_one_conflict_are_told_together():
    text = "rule r: if old or price > 5 then class = acc\nrule s: if safety = low then class = good"
    (finding,) = without_answer(examined(text, CAR)[0])
    assert sorted(
        finding.what.removesuffix(", no answer keeps all rules: r and s conflict there.").split(", or when ")
    ) == [
        "When price > 5 and safety = low",
        "old = yes and safety = low",
    ] or finding.what.startswith(
        "When old = yes and safety = low, or when price > 5 and safety = low, no answer"
    )


def test_what_is_not_decided_in_time_is_told():
    text = "rule one: if safety = low then class = unacc\nrule two: if safety = low then class = good"
    examination = TextExamination(
        text, CAR, {}, Memory(), lambda c: Sat(name="glucose4", bootstrap_with=c), 0.0
    )
    while not examination.run(60.0):
        pass
    checked = examination.checked()
    assert not checked.finished
    assert [f.what for f in checked.findings] == ["Whether facts leave no answer was not found out in time."]
    assert [r.status for r in checked.rules] == ["needed", "needed"]


def test_sequences_that_cannot_be_leave_no_answer_either():
    vocabulary = Vocabulary(
        (
            Variable("urgent", given=True),
            Variable("visit", "events", values=("admit", "drug")),
            Variable("alarm"),
        )
    )
    text = (
        "rule first: if urgent then init(drug)\nrule drug: precedence(admit, drug)\n"
        "rule alarmed: if alarm then existence(drug, 1)\nrule always: if urgent then alarm"
    )
    (finding,) = without_answer(examined(text, vocabulary)[0])
    assert finding.what.startswith("When urgent = yes, no answer keeps")
    assert {finding.rule, *finding.others} in ({"first", "drug", "alarmed", "always"}, {"first", "drug"})
