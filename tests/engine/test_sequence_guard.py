"""The node logic.sequence: rules in the language over events and facts, exact on every sequence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests_wiring import wired

from engine.catalog import NODES
from engine.files.model import load_model, write_model
from engine.files.project import Project, probed, save_project
from engine.logic.formula import Happens, parts_of, with_parts
from engine.logic.formula import Tested as Outcome
from engine.logic.pipeline import NONE
from engine.logic.sequence import Sequence, costs_of
from engine.logic.sequences.rule import Call, automaton_for
from engine.logic.truth import outcomes, truth
from engine.node import ShapeError
from engine.ports import Column, Spec
from engine.settings import Training
from engine.train.loop import Run

COLUMNS = (Column("age"), Column("kind", ("routine", "urgent")), Column("steps"))
TEXT = """
rule consent: precedence(consent, surgery) because "no surgery without consent" source "protocol"
rule urgent: if kind = urgent then deadline(triage, 2)
rule old: if age > 60 then response(surgery, check, within 2)
rule calm weight 0.7: not chain succession(check, triage)
rule both: triage and consent before surgery
"""
EVENTS = ("triage", "consent", "surgery", "check")


def node_of(text=TEXT, **more):
    return Sequence(events=", ".join(EVENTS), rules=text, **more)


def specs_of(steps=4):
    return Spec("real", (steps, 4)), Spec("facts", (3,), columns=COLUMNS)


def drawn(n, steps=4, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (n, steps, 4)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.05] = -np.inf
    facts = np.stack(
        [rng.choice([40, 70, np.nan], n), rng.choice([0, 1, np.nan], n), rng.integers(0, steps + 1, n)],
        axis=1,
    )
    return scores, facts.astype(np.float64)


def kept(sequence, age, urgent):
    """Which rules a sequence keeps, written straight from the text; a gap (NaN) lets a rule hold."""
    t, c, s, k = (([i for i, e in enumerate(sequence) if e == j]) for j in range(4))
    first = min(s, default=99)
    return [
        min(c, default=98) < first or not s,
        urgent != 1 or min(t, default=99) < 2,
        not age > 60 or all(any(i < j <= i + 2 for j in k) for i in s),
        not any(i + 1 in t for i in k),
        not s or (min(c, default=99) < first and min(t, default=99) < first),
    ]


def cheapest(costs, age, urgent):
    best = None
    for sequence in itertools.product(range(4), repeat=len(costs)):
        paid = [int(costs[t, e]) for t, e in enumerate(sequence)]
        held = kept(sequence, age, urgent)
        if min(paid, default=0) < 0 or not (held[0] and held[1] and held[2] and held[4]):
            continue
        total = sum(paid) + (0 if held[3] else 7_000)
        best = total if best is None else min(best, total)
    return best


@pytest.mark.parametrize("length", ["", "steps"])
def test_that_the_node_finds_the_cheapest_sequence_that_keeps_the_rules(length):
    node = node_of(length=length)
    specs = specs_of()
    scores, facts = drawn(120)
    out, events, broken, left, told = node.predictor({}, *specs)(scores, facts)
    labels, costs = costs_of(scores)
    for i in range(len(scores)):
        age, urgent, steps = facts[i]
        steps = int(steps) if length else 4
        best = cheapest(costs[i, :steps], age, urgent)
        raw = kept(labels[i, :steps].tolist(), age, urgent)
        assert broken[i].tolist() == [float(not held) for held in raw]
        if best is None:
            assert told[i].tolist() == [NONE, 0.0]
            continue
        found = events[i, :steps].astype(int).tolist()
        held = kept(found, age, urgent)
        paid = sum(int(costs[i, t, e]) for t, e in enumerate(found)) + (0 if held[3] else 7_000)
        assert paid == best
        assert left[i].tolist() == [float(not one) for one in held]
        assert out[i, :steps].argmax(1).tolist() == found
        assert np.isnan(events[i, steps:]).all()
        assert told[i, 1] == sum(a != b for a, b in zip(found, labels[i].tolist(), strict=False))
        same = [t for t in range(4) if t >= steps or found[t] == labels[i, t]]
        assert np.array_equal(out[i, same], scores[i, same])


def test_that_bit_for_bit_a_record_is_alone_what_it_is_in_a_batch():
    node, specs = node_of(), specs_of(6)
    scores, facts = drawn(90, 6, 3)
    predict = node.predictor({}, *specs)
    whole = predict(scores, facts)
    for i in (0, 44, 89):
        alone = predict(scores[i : i + 1], facts[i : i + 1])
        assert [a.tobytes() for a in alone] == [a[i : i + 1].tobytes() for a in whole]


def test_that_scores_may_be_anything():
    scores = np.array([[[np.inf, 0], [np.nan, 1], [-np.inf, -np.inf], [3e38, -3e38]]], np.float32)
    labels, costs = costs_of(scores)
    assert labels.tolist() == [[0, 1, 0, 0]]
    assert (costs[0, 2] < 0).all()
    assert costs[0, 1, 0] < 0
    assert costs.max() <= 1 << 40
    node = Sequence(rules="rule r: response(e1, e2)")
    _, _, _, _, told = node.predictor({}, Spec("real", (4, 2)), None)(scores, None)
    assert told[0, 0] == NONE


def test_that_ties_are_told_apart():
    scores = np.array([[[5, 5, 3], [5, 5, 5]]], np.float32)
    node = Sequence(rules="rule r: absence(e1)\nrule s: absence(e2)")
    out, events, *_ = node.predictor({}, Spec("real", (2, 3)), None)(scores, None)
    assert events.tolist() == [[2, 2]]
    assert out.argmax(2).tolist() == [[2, 2]]


@pytest.mark.parametrize(
    ("node", "shape", "where"),
    [
        (Sequence(), (4,), "scores"),
        (Sequence(events="a, b"), (4, 3), "events"),
        (Sequence(events="a, a, b"), (4, 3), "events"),
        (Sequence(rules="rule r: response(e1, e9)"), (4, 3), "rules"),
        (Sequence(rules="rule r: response(e1"), (4, 3), "rules"),
        (Sequence(rules="rule r: limit(e1, 30, per 60)"), (4, 3), "rules"),
        (Sequence(length="steps"), (4, 3), "length"),
    ],
)
def test_that_what_is_wrong_gets_a_sentence(node, shape, where):
    with pytest.raises(ShapeError) as caught:
        node.specs(Spec("real", shape), None)
    assert where in (caught.value.port, caught.value.parameter)
    assert str(caught.value).endswith(".")


def test_that_a_clash_is_warned_of():
    spec, facts = Spec("real", (3, 3)), Spec("facts", (1,), columns=(Column("age"),))
    clash = Sequence(rules="rule a: existence(e1, 2)\nrule b: absence(e3)\nrule c: exactly(e2, 2)")
    assert clash.warnings(spec, None) == ("No sequence of 3 events keeps a and c.",)
    assert clash.warnings(Spec("real", (4, 3)), None) == ()
    ever = Sequence(rules="rule a: existence(e1)\nrule b: if age > 3 then absence(e1)\nrule c: absence(e1)")
    assert ever.warnings(spec, facts) == ("No sequence of 3 events keeps a and c.",)
    soft = Sequence(rules="rule a: existence(e1)\nrule b weight 2: absence(e1)")
    assert soft.warnings(spec, facts) == ()


def test_that_gaps_are_open_in_every_connective():
    """As truth.py, where every template is one more test that is known."""
    texts = [
        "if age > 60 then existence(e1)",
        "age > 60 iff existence(e1)",
        "age > 60 xor existence(e1)",
        "not (age > 60 and existence(e1))",
        "age > 60 or response(e1, e2)",
        "if age > 60 then existence(e1) else existence(e2)",
        "exactly 1 of (age > 60, existence(e1), existence(e2))",
        "at most 1 of (age > 60, existence(e1), existence(e2))",
        "at least 2 of (age > 60, not existence(e1), existence(e2))",
    ]
    text = "\n".join(f"rule r{i}: {t}" for i, t in enumerate(texts))
    spec = Spec("facts", (1,), columns=(Column("age"),))
    guard = Sequence(rules=text).guard(Spec("real", (2, 3)), spec)
    sequences = np.array(list(itertools.product(range(3), repeat=2)), np.int32)
    lengths = np.full(len(sequences), 2)
    for age in (40.0, 70.0, np.nan):
        tests = outcomes(guard.rules.tests, np.array([[age]]))
        broken = guard.engine_for(tests[0]).places(sequences, lengths) >= 0
        for i, rule in enumerate(guard.rules.rules):
            atoms = [tests.repeat(len(sequences), 0)]
            formula = as_tests(rule.bound, sequences, atoms, guard.events)
            wanted = truth(formula, np.concatenate(atoms, axis=1), np.zeros((len(sequences), 0), np.int64))
            assert np.array_equal(broken[:, i], wanted.no)


def as_tests(formula, sequences, atoms, events):
    """The formula with every template as one more test, whose outcomes are added to `atoms`."""
    if isinstance(formula, Happens):
        places = tuple(p if isinstance(p, int) else tuple(events[e] for e in p) for p in formula.places)
        automaton = automaton_for(Call(formula.template, places, formula.numbers), events)
        atoms.append(np.array([[automaton.holds(s)] for s in sequences.tolist()], np.int8))
        return Outcome(sum(a.shape[1] for a in atoms) - 1)
    parts = tuple(as_tests(part, sequences, atoms, events) for part in parts_of(formula))
    return with_parts(formula, parts) if parts else formula


def test_that_a_model_with_it_ships_and_predicts_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (120, 5, 3)).astype(np.float32)
    y = (x[:, 0, 0] > 0).astype(np.int64)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    graph = wired(
        {
            "data": NODES["data.npz"](path="data.npz"),
            "split": NODES["flow.split"](),
            "guard": Sequence(rules="rule r: response(e1, e2)\nrule s weight 1: absence(e3, 3)"),
            "flat": NODES["flow.flatten"](),
            "head": NODES["bnn.dense"](units=2),
            "out": NODES["flow.output"](),
        },
        [
            "data.samples -> split.samples",
            "data.labels -> split.labels",
            "split.samples -> guard.scores",
            "guard.scores -> flat.in",
            "flat.out -> head.in",
            "head.out -> out.scores",
            "split.labels -> out.labels",
        ],
    )
    path = tmp_path / "p.polybit"
    project = probed(Project(graph, Training(epochs=2), path=path))
    save_project(project, path)
    run = Run(project, tmp_path / "run.h5")
    list(run.steps())
    write_model(tmp_path / "m.h5", run.program(), run.project, {})
    model = load_model(tmp_path / "m.h5")
    expected = run.program().answer(run.validation)
    assert model.answer(run.validation).scores.tobytes() == expected.scores.tobytes()
    assert np.isfinite(expected.scores).all()
