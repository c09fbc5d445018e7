"""Checking rules in time: what is found beside sequences with stamps drawn at random, and what is told."""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest
from timed_oracle import kept

from engine.logic.checking import check_rules
from engine.logic.durations import UNITS
from engine.logic.solver import Solver
from engine.logic.vocabulary import Variable, Vocabulary

EVENTS = ("a", "b", "c")
VOCABULARY = Vocabulary((Variable("fast", given=True), Variable("way", "events", values=EVENTS)))
TEMPLATES = (
    "response",
    "precedence",
    "chain response",
    "chain precedence",
    "alternate response",
    "alternate precedence",
    "succession",
    "gap",
    "limit",
    "quota",
    "cooldown",
    "deadline",
)


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def drawn(rng):
    """A random rule as text, and what the oracle is asked."""
    name, (a, b), d = rng.choice(TEMPLATES), rng.sample(EVENTS, 2), rng.randint(1, 3)
    asked = {"a": {EVENTS.index(a)}, "b": {EVENTS.index(b)}, "d": d, "times": 1}
    if name == "gap":
        return f"gap({a}, {b}, {d} s)", name, asked
    if name in ("limit", "quota"):
        return f"{name}({a}, 1, per {d} s)", name, asked
    if name in ("cooldown", "deadline"):
        return f"{name}({a}, {d} s)", name, asked
    return f"{name}({a}, {b}, within {d} s)", name, asked


def samples(rng):
    """Sequences with stamps, on a grid that is finer than any that the check uses, and off it."""
    for n in range(5):
        for s in itertools.product(range(3), repeat=n):
            for _ in range(12):
                grid = rng.choice([1, 2, 6, 7])
                yield s, np.cumsum([rng.randint(0, 4 * grid) / grid for _ in s]).tolist() if s else []


def read(words):
    """Return the events and stamps of an example in words."""
    if words == "nothing":
        return (), []
    events, stamps, now = [], [], 0
    for part in words.split(", "):
        event, *later = part.split(" ")
        for number, unit in zip(later[:-1:2], later[1:-1:2], strict=True):
            now += round(float(number) * UNITS[unit if unit != "day" else "days"])
        events.append(EVENTS.index(event))
        stamps.append(now / 1e6)
    return tuple(events), stamps


@pytest.mark.parametrize("seed", range(24))
def test_that_findings_hold_of_every_sequence_with_stamps(seed, solver):
    rng = random.Random(seed)  # noqa: S311
    rules = [drawn(rng) for _ in range(rng.randint(2, 3))]
    text = "\n".join(f"rule r{i}: {rule}" for i, (rule, _, _) in enumerate(rules))
    found = check_rules(text, VOCABULARY, 20.0, solver=solver)
    assert found.finished
    assert not any(f.kind == "open" for f in found.findings)

    def broken(s, t):
        return [not kept(name, s, t, None, **asked) for _, name, asked in rules]

    drawn_samples = list(samples(rng))
    truths = [broken(s, t) for s, t in drawn_samples]
    if not found.satisfiable:
        assert all(any(each) for each in truths)
        return
    for i, rule in enumerate(found.rules):
        if rule.status in ("implied", "same", "always"):
            others = [j for j, other in enumerate(found.rules) if other.status == "needed" and j != i]
            twins = [j for j, other in enumerate(found.rules) if other.status == "same" and j != i]
            beside = others + (twins if rule.status == "same" else [])
            assert not any(each[i] and not any(each[j] for j in beside) for each in truths), text
        else:
            assert rule.status == "needed"
            assert rule.example is not None
            s, t = read(rule.example.answer["way"])
            assert broken(s, t) == [j == i for j in range(len(rules))], (text, rule.example)
    for finding in found.findings:
        fate = re.match(r"([abc]) (never|always) happens in way", finding.what)
        if fate:
            event, always = EVENTS.index(fate[1]), fate[2] == "always"
            good = [s for (s, _), each in zip(drawn_samples, truths, strict=True) if not any(each)]
            assert all((event in s) == always for s in good)


def told(text, solver):
    found = check_rules(text, VOCABULARY, 20.0, solver=solver)
    return [(f.kind, f.rule, f.line, f.what) for f in found.findings]


def test_that_times_that_clash_are_found_with_their_rules(solver):
    rules = "rule soon: response(a, b, within 3 days)\nrule late: gap(a, b, 4 days)\n"
    assert told(rules, solver) == [("dead", "soon", 1, "a never happens in way, by soon and late.")]
    assert told(rules + "rule some: existence(a)", solver) == [
        ("conflict", "some", 3, "soon, late and some cannot all be kept.")
    ]
    same = "rule one: response(a, b, within 3 days)\nrule two: response(a, b, within 72 h)"
    assert told(same, solver) == [("same", "two", 2, "two says the same as one.")]
    follows = "rule one: limit(a, 1, per 1 h)\nrule two: if fast then limit(a, 2, per 2 h)"
    assert told(follows, solver) == [("implied", "two", 2, "two follows from one.")]
    steps = "rule one: chain response(a, b, within 1 h)\nrule two: response(a, b, within 1)"
    assert told(steps, solver) == [("implied", "two", 2, "two follows from one.")]


def test_that_what_is_not_checked_is_told(solver):
    found = told("rule near: response(a, b, within 1 s)\nrule far: response(a, c, within 30 days)", solver)
    assert [(kind, line) for kind, _, line, _ in found] == [("open", 2)]
    assert found[0][3].startswith("Not checked: far.")
    (speed,) = told("rule card: speed(a, 900)", solver)
    assert speed == ("open", "card", 1, "Not checked: places in card. How often its events happen is.")


def test_that_an_example_has_times(solver):
    text = "rule soon: response(a, b, within 90 min)\nrule both: co-existence(a, b)\nrule last: end(b)"
    found = check_rules(text, VOCABULARY, 20.0, solver=solver)
    s, t = read(found.rules[0].example.answer["way"])
    assert s == (0, 1)
    assert t[1] - t[0] > 90 * 60


def test_that_rules_too_large_together_still_have_their_examples(solver):
    events = tuple(f"e{i}" for i in range(14))
    vocabulary = Vocabulary((Variable("way", "events", values=events),))
    text = "\n".join(
        f"rule r{i}: precedence(e{i}, e{(i * 5 + 3) % 14})" for i in range(14) if i != (i * 5 + 3) % 14
    )
    found = check_rules(text, vocabulary, 20.0, solver=solver)
    pairs = [(i, (i * 5 + 3) % 14) for i in range(14) if i != (i * 5 + 3) % 14]
    needed = [i for i, rule in enumerate(found.rules) if rule.status == "needed"]
    assert needed
    for i in needed:
        said = [events.index(e) for e in found.rules[i].example.answer["way"].split(", ")]
        broken = [b in said and a not in said[: said.index(b)] for a, b in pairs]
        assert broken == [j == i for j in range(len(pairs))]
