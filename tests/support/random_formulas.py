"""Random formulas over flags, a category and an integer, and repair by trying every answer."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from random_rules import CLASSES

from engine.logic.binding import Test
from engine.logic.formula import And, Count, Iff, IfThen, Implies, Not, Or, ValueIn, Weighted, Xor
from engine.logic.formula import Tested as Outcome
from engine.logic.lowering import SCALE, lowered, soft_costs
from engine.logic.normal import STRUCTURE
from engine.logic.pipeline import ALLOWED, NONE, Engine
from engine.logic.ruleset import Rule, RuleSet
from engine.logic.vocabulary import Variable, Vocabulary

QUANTITIES = ("exactly", "at most", "at least")
FACTS = (Variable("x", "number", given=True), Variable("y", "number", given=True))
MIXED = (
    Variable("fever", "flag"),
    Variable("class", "category", values=CLASSES),
    Variable("doses", "integer", least=0, most=3),
    Variable("ill", "flag"),
)
GAPS = np.array(list(itertools.product((0.0, 1.0, np.nan), repeat=2)))


def rule_set(*formulas, decided=MIXED):
    rules = tuple(Rule(f"r{i}", "", "", "", 1, f) for i, f in enumerate(formulas))
    tests = tuple(Test(i, "below", (1.0,)) for i in range(2))
    return RuleSet(Vocabulary((*FACTS, *decided)), rules, tests)


def softened(rules, rng):
    """Return the rules, some of them soft, of level 1 or 2."""
    made = [
        replace(r, weight=float(rng.integers(1, 5)) / 2, level=int(rng.integers(1, 3)))
        if rng.random() < 0.3
        else r
        for r in rules.rules
    ]
    return replace(rules, rules=tuple(made))


def every_answer(rules, compiled, facts, scores):
    """Return all answers (answers, decided), what each costs each record and which rules it breaks."""
    sizes = [d.width if d.values else 2 for d in compiled.decisions]
    answers = np.array(list(itertools.product(*map(range, sizes))), np.int64)
    paid = np.zeros((len(facts), len(answers)))
    for i, decision in enumerate(compiled.decisions):
        those = scores[:, decision.place].astype(np.float64)
        if not decision.values:  # a flag: its score for yes, 0 for no
            those = np.concatenate([np.zeros_like(those), those], axis=1)
        paid += np.rint((those.max(1, keepdims=True) - those)[:, answers[:, i]] * SCALE)
    broken = np.stack([rules.broken(np.repeat(record[None], len(answers), 0), answers) for record in facts])
    soft = soft_costs(rules.rules)
    for i in range(len(rules.rules)):
        paid += np.where(broken[:, :, i], soft.get(i, np.inf), 0)
    return answers, paid, broken


def check_lowered(rules, facts, scores, **options):
    """Lower rules, repair by the engines, and compare with every answer tried."""
    compiled = lowered(rules, **options)
    form = compiled.form
    predicted, costs = compiled.asked(facts, scores)
    assert predicted.shape == costs.shape == (len(facts), len(form.variables))
    answers, paid, broken = every_answer(rules, compiled, facts, scores)
    least = paid.min(1)
    decided = Engine(form)(predicted, costs)
    assert decided.costs.tolist() == np.where(np.isinf(least), -1, least).tolist()
    said = compiled.answers(predicted)
    place = {tuple(a): i for i, a in enumerate(answers.tolist())}
    rows = np.arange(len(facts))
    raw = broken[rows, [place[tuple(a)] for a in said.tolist()]]
    assert ((decided.status == ALLOWED) == ~raw.any(1)).all()
    assert ((decided.status == NONE) == np.isinf(least)).all()
    # A constraint that does not hold of the raw answer belongs to a rule that it breaks, and the other way.
    fails = ~form.holds(predicted)
    owners = np.array([c.rule for c in form.constraints])
    assert not fails[:, owners == STRUCTURE].any()
    for i in range(len(rules.rules)):
        assert (fails[:, owners == i].any(1) == raw[:, i]).all()
    found = np.flatnonzero(np.isfinite(least))
    chosen = [place[tuple(a)] for a in compiled.answers(decided.values)[found].tolist()]
    assert np.array_equal(paid[found, chosen], least[found])
    for i, kept in compiled.kept.items():
        assert (decided.values[found, kept] == ~broken[found, chosen, i]).all()


def atoms():
    sizes = [2 if v.kind == "flag" else len(v.names) for v in MIXED]
    values = st.integers(0, len(MIXED) - 1).flatmap(
        lambda i: st.builds(
            ValueIn, st.just(i), st.sets(st.integers(0, sizes[i] - 1)).map(lambda s: tuple(sorted(s)))
        )
    )
    return st.one_of(st.builds(Outcome, st.integers(0, 1)), values, values)


def formulas(depth):
    if not depth:
        return atoms()
    part = formulas(depth - 1)
    some = st.lists(part, min_size=1, max_size=4).map(tuple)
    counts = some.flatmap(
        lambda parts: st.builds(
            Count, st.sampled_from(QUANTITIES), st.integers(0, len(parts)), st.just(parts)
        )
    )
    sums = st.lists(st.tuples(part, st.integers(1, 5)), min_size=1, max_size=4).flatmap(
        lambda pairs: st.builds(
            Weighted,
            st.just(tuple(p for p, _ in pairs)),
            st.just(tuple(w for _, w in pairs)),
            st.integers(0, 1 + sum(w for _, w in pairs)),
        )
    )
    pairs = [st.builds(kind, part, part) for kind in (Xor, Iff, Implies, IfThen)]
    whole = [st.builds(And, some), st.builds(Or, some), st.builds(IfThen, part, part, part)]
    return st.one_of(atoms(), st.builds(Not, part), *whole, counts, sums, *pairs)
