"""From a text to every engine's answers, beside enumeration over a meaning of its own (random_texts.py).

The records have gaps, scores that tie, that are infinite or no numbers; the rules are hard, soft and of
several levels. What is compared: what the raw answers break, the least cost, the status and what is left.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from random_texts import Drawn, Record, Texts, drawn_vocabulary, values_of

from engine.logic.language import parse
from engine.logic.lowering import FURTHEST, SCALE
from engine.logic.pipeline import STATUS, Engine
from engine.logic.printing import print_rules
from engine.logic.repair import Repair
from engine.logic.ruleset import RuleSet
from engine.logic.several import Several
from engine.logic.vocabulary import Variable, Vocabulary

RECORDS = 6
NUMBERS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
ODD = (np.inf, -np.inf, np.nan, 1e30, -1e30, 0.0)


class Case:
    """Rules drawn from a seed, records for them, and what each answer costs each record."""

    def __init__(self, seed: int, classes: int = 0) -> None:
        rng = random.Random(seed)  # noqa: S311 - not for secrets
        self.vocabulary = drawn_vocabulary(rng, classes)
        self.drawn: list[Drawn] = Texts(rng, self.vocabulary).rules()
        self.text = "\n".join(rule.text for rule in self.drawn)
        self.rules = RuleSet.over(self.text, self.vocabulary)
        self.decided = self.vocabulary.decided
        self.domains = [values_of(v) for v in self.decided]
        self.answers = list(itertools.product(*(range(len(d)) for d in self.domains)))
        self.known, self.facts = self._facts(rng)
        width = sum(
            1 if v.kind == "flag" else len(d) for v, d in zip(self.decided, self.domains, strict=True)
        )
        odd = np.random.default_rng(seed)
        scores = odd.normal(size=(RECORDS, width)) * 3
        self.scores = (scores if seed % 2 else np.round(scores)).astype(np.float32)
        if seed % 5 == 0:
            hit = odd.random(self.scores.shape) < 0.15
            self.scores[hit] = odd.choice(np.array(ODD, np.float32), hit.sum())
        self.soft = soft_costs(self.drawn)

    def _facts(self, rng: random.Random) -> tuple[list[Record], np.ndarray]:
        known: list[Record] = []
        facts = np.full((RECORDS, len(self.vocabulary.given)), np.nan)
        for i in range(RECORDS):
            record: Record = {}
            for j, variable in enumerate(self.vocabulary.given):
                record[variable.name] = None
                if rng.random() < 0.8:
                    if variable.kind == "number":
                        facts[i, j] = rng.choice(NUMBERS)
                        record[variable.name] = Fraction(facts[i, j])
                    else:
                        facts[i, j] = rng.randrange(len(values_of(variable)))
                        record[variable.name] = values_of(variable)[int(facts[i, j])]
            known.append(record)
        return known, facts

    def broken(self, record: int, answer: tuple[int, ...]) -> list[bool]:
        """Return which rules an answer breaks: those that are definitely false."""
        whole = dict(self.known[record])
        for variable, domain, i in zip(self.decided, self.domains, answer, strict=True):
            whole[variable.name] = domain[i]
        return [rule.meaning(whole) is False for rule in self.drawn]

    def said(self, record: int) -> tuple[int, ...]:
        """Return the answer that the scores give."""
        return tuple(
            int(those[0] > 0) if v.kind == "flag" else int(those.argmax())
            for v, those in zip(self.decided, self._scores(record), strict=True)
        )

    def paid(self, record: int, answer: tuple[int, ...]) -> int:
        """Return what an answer costs, -1 where it breaks a rule that must hold."""
        hits = [i for i, hit in enumerate(self.broken(record, answer)) if hit]
        if any(i not in self.soft for i in hits):
            return -1
        return self.price(record, answer) + sum(self.soft[i] for i in hits)

    def least(self, record: int) -> int:
        """Return what the cheapest allowed answer costs, -1 for none."""
        return min((p for a in self.answers if (p := self.paid(record, a)) >= 0), default=-1)

    def price(self, record: int, answer: tuple[int, ...]) -> int:
        """Return what an answer loses beside that of the scores, rules or no rules."""
        total = 0
        for variable, those, value in zip(self.decided, self._scores(record), answer, strict=True):
            if variable.kind == "flag":
                lost = abs(those[0]) if int(those[0] > 0) != value else 0.0
            else:
                lost = 0.0 if those[value] == those.max() else those.max() - those[value]
            total += round(min(lost, FURTHEST / SCALE) * SCALE)
        return total

    def _scores(self, record: int) -> list[np.ndarray]:
        at, out = 0, []
        for variable, domain in zip(self.decided, self.domains, strict=True):
            width = 1 if variable.kind == "flag" else len(domain)
            those = self.scores[record, at : at + width].astype(np.float64)
            out.append(np.where(np.isnan(those), 0.0 if variable.kind == "flag" else -np.inf, those))
            at += width
        return out


def soft_costs(drawn: list[Drawn]) -> dict[int, int]:
    """Return what soft rules cost: each level so scaled that its least outweighs all below by a hundredth."""
    costs: dict[int, int] = {}
    for level in sorted({rule.level for rule in drawn if rule.weight}):
        here = {i: rule.weight for i, rule in enumerate(drawn) if rule.weight and rule.level == level}
        below = sum(costs.values())
        least = min(here.values())
        times = max(1.0, 1.01 * below / SCALE / least, (below + 1) / SCALE / least if below else 0.0)
        costs |= {i: max(1, round(weight * times * SCALE)) for i, weight in here.items()}
        assert min(costs[i] for i in here) > below
    return costs


def check_everything(case: Case, rc2: bool) -> None:
    parsed = parse(case.text)
    assert parse(print_rules(parsed)) == parsed
    several = Several(case.rules)
    done = several(case.scores, case.facts)
    least = [case.least(r) for r in range(RECORDS)]
    assert done.decided.costs.tolist() == least
    for r in range(RECORDS):
        raw, value = case.said(r), tuple(done.values[r].tolist())
        assert tuple(done.raw[r].tolist()) == raw
        assert done.broken[r].tolist() == case.broken(r, raw)
        assert done.left[r].tolist() == case.broken(r, value)
        kept = "optimal" if any(case.broken(r, raw)) else "allowed"
        assert STATUS[done.status[r]] == ("none" if least[r] < 0 else kept)
        assert value == raw if least[r] < 0 else case.paid(r, value) == least[r]
    predicted, costs = several.compiled.asked(case.facts, case.scores)
    for only in ("diagram", "search", "puzzle", *(["rc2"] if rc2 else [])):
        try:
            made = Engine(several.compiled.form, only=only)(predicted, costs)
        except ValueError:
            assert only in ("puzzle", "diagram"), only  # not all rules are one, or have a narrow one
            continue
        assert made.costs.tolist() == least, only
    if rc2:
        found = several.agreement(case.scores, case.facts, done, RECORDS)
        assert found.solved == found.agreed == RECORDS
    order = np.random.default_rng(len(case.text)).permutation(RECORDS)
    for rows in (order, order[:1], order[:0]):
        part = several(case.scores[rows], case.facts[rows])
        assert np.array_equal(part.values, done.values[rows])
        assert np.array_equal(part.decided.tool, done.decided.tool[rows])
        assert np.array_equal(part.status, done.status[rows])


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_several_variables_from_the_text_to_every_engine(first):
    for seed in range(first, first + 10):
        check_everything(Case(seed), rc2=seed % 10 == 3)


def check_one_class(case: Case, classes: int) -> None:
    at = case.vocabulary.decided_numbers["class"]
    scores = np.random.default_rng(len(case.text)).normal(size=(RECORDS, classes)).astype(np.float32)
    scores[0] = np.round(scores[0])
    scores[1, 0], scores[2, -1] = -np.inf, np.nan
    done = Repair(case.rules)(scores, case.facts)
    for r in range(RECORDS):
        lost: list[int | None] = []
        for label in range(classes):
            own = [case.broken(r, a) for a in case.answers if a[at] == label]
            paid = [
                sum(case.soft.get(i, 0) for i, hit in enumerate(hits) if hit)
                for hits in own
                if not any(hit and i not in case.soft for i, hit in enumerate(hits))
            ]
            lost.append(min(paid, default=None))
        assert done.allowed[r].tolist() == [cost is not None for cost in lost]
        known = np.where(np.isnan(scores[r]), -np.inf, scores[r])
        wanted = [-np.inf if c is None else float(s) - c / SCALE for s, c in zip(known, lost, strict=True)]
        assert np.allclose(done.scores[r], wanted, rtol=1e-5, atol=1e-4)
        assert done.raw_labels[r] == known.argmax()
        best = int(done.scores[r].argmax())
        assert done.labels[r] == (-1 if np.isneginf(done.scores[r]).all() else best)
    # Whatever was asked before, and beside whom, a record is answered alike.
    again = Repair(case.rules)
    for some in ([3], [5, 0], [], [2, 3, 1, 4], range(RECORDS)):
        rows = np.array(some, np.int64)
        part = again(scores[rows], case.facts[rows])
        for name in ("scores", "allowed", "labels", "status", "engine", "broken", "left"):
            assert np.array_equal(getattr(part, name), getattr(done, name)[rows]), name


@pytest.mark.parametrize("first", range(100, 140, 10))
def test_one_class_from_the_text_to_its_answer(first):
    for seed in range(first, first + 10):
        classes = 1 + seed % 5
        check_one_class(Case(seed, classes), classes)


def test_two_hundred_classes():
    for seed in (201, 204):
        check_one_class(Case(seed, 200), 200)


def many_outcomes(classes: int = 12) -> tuple[RuleSet, np.ndarray, np.ndarray]:
    """Return rules over facts with hundreds of outcomes, and records of them."""
    rng = np.random.default_rng(7)
    columns = tuple(Variable(f"x{i}", "number", given=True) for i in range(8))
    known = Vocabulary(
        (*columns, Variable("class", "category", values=tuple(f"c{i}" for i in range(classes))))
    )
    text = "\n".join(f"rule: if x{i % 8} > {i % 3} then class != c{i % classes}" for i in range(24))
    facts = rng.integers(0, 4, (2_000, 8)).astype(np.float64)
    return RuleSet.over(text, known), rng.normal(size=(2_000, classes)).astype(np.float32), facts


def test_threads_may_share_a_guard():
    rules, scores, facts = many_outcomes()
    whole = Repair(rules)(scores, facts)
    shared, parts = Repair(rules), np.array_split(np.random.default_rng(1).permutation(2_000), 200)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8, "kernels") as pool:
            done = list(pool.map(lambda rows: shared(scores[rows], facts[rows]), parts))
    finally:
        sys.setswitchinterval(before)
    for rows, part in zip(parts, done, strict=True):
        assert np.array_equal(part.labels, whole.labels[rows])
        assert np.array_equal(part.allowed, whole.allowed[rows])
        assert np.array_equal(part.broken, whole.broken[rows])


def test_a_guard_that_forgets_answers_on(monkeypatch):
    rules, scores, facts = many_outcomes()
    whole = Repair(rules)(scores, facts)
    monkeypatch.setattr("engine.logic.repair._MOST_KEPT", 2_000)
    small = Repair(rules)
    for rows in np.array_split(np.arange(2_000), 40):
        assert np.array_equal(small(scores[rows], facts[rows]).labels, whole.labels[rows])


_PRINTED = """
import sys, hashlib
sys.path[:0] = [{support!r}, {tests!r}]
from test_whole_path import Case
from engine.logic.several import Several
told = hashlib.sha256()
for seed in range(300, 312):
    case = Case(seed)
    done = Several(case.rules)(case.scores, case.facts)
    for part in (done.values, done.decided.values, done.decided.costs, done.status, done.decided.tool):
        told.update(part.tobytes())
print(told.hexdigest())
"""


def test_answers_are_the_same_in_every_process():
    tests = Path(__file__).parent
    code = _PRINTED.format(support=str(tests.parent / "support"), tests=str(tests))
    told = []
    for hashing, threads in (("0", "1"), ("4242", "2")):
        more = {"PYTHONHASHSEED": hashing, "NUMBA_NUM_THREADS": threads}
        made = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(tests.parents[1]), **more},
        )
        told.append(made.stdout)
    assert told[0] == told[1]
    assert len(told[0].strip()) == 64
