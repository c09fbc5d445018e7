"""Answers that broke a rule, what they became and why, and whether RC2 agrees with what they cost.

Frozen values, ready to be shown; look.py takes them, the constraints panel draws them. Knows no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .graph import Graph
from .label_sets import name_of
from .logic.agreement import Agreement
from .logic.explain import Explained, explain
from .logic.pipeline import NONE, STATUS, UNKNOWN
from .logic.repair import Repair
from .logic.rules import Rules
from .logic.several import Several
from .logic.whatif import WhatIf
from .ports import F32, F64, Array
from .records import Records
from .runtime.program import Answer, Program


@dataclass(frozen=True)
class Violation:
    """One record whose raw answer broke a rule.

    Attributes:
        record: its index among the records looked at.
        label: its true class by name, "" where it is not known.
        explained: what became of the answer and why.
        raw, scores: float32 (classes,), the scores before the rules and after; -inf where ruled out.
        engine: what gave the answer, "" where that is not known.
    """

    record: int
    label: str
    explained: Explained
    raw: F32 = field(default_factory=lambda: np.zeros(0, np.float32), compare=False)
    scores: F32 = field(default_factory=lambda: np.zeros(0, np.float32), compare=False)
    engine: str = ""


@dataclass(frozen=True)
class RuleCount:
    """How often one rule was broken: by the raw answers, and by the answers after repair."""

    name: str
    words: str
    raw: int
    left: int


def rules_node(graph: Graph) -> str:
    """Return the name of the constraint guard that feeds the answer, or ""."""
    ends = graph.of_kind("flow.output")
    feeding = set().union(*(graph.upstream(end) for end in ends))
    return next((n for n in graph.order if n in feeding and isinstance(graph.node(n), Rules)), "")


def violations(
    program: Program, name: str, records: Records, answer: Answer, limit: int
) -> tuple[Violation, ...]:
    """Return the records whose raw answer broke a rule, in order.

    Args:
        program: what answers.
        name: its constraint guard.
        records: what it answered.
        answer: what it said of them.
        limit: most that are explained.
    """
    rows = np.flatnonzero(answer.broken.any(axis=1))[:limit]
    node = program.graph.node(name)
    if not len(rows) or not isinstance(node, Rules):
        return ()
    rule_set = node.rule_set(*program.graph.input_specs(name))
    facts = _arriving(program, name, "facts", records.take(rows))
    said = _arriving(program, name, "scores", records.take(rows)).astype(np.float32)
    several = None if rule_set.classes else WhatIf(rule_set)
    return tuple(
        Violation(
            int(row),
            class_name(answer, int(records.labels[row])),
            _of_labels(several, facts[i], said[i])
            if several
            else explain(
                rule_set, facts[i], int(answer.raw_labels[row]), int(answer.labels[row]), answer.scores[row]
            ),
            answer.raw_scores[row],
            answer.scores[row],
            str(answer.engine[row]),
        )
        for i, row in enumerate(rows)
    )


def _of_labels(what_if: WhatIf, facts: F64, scores: F32) -> Explained:
    """Return what became of one answer of several labels, each of which holds or does not."""
    rules = what_if.rules
    whole = np.zeros(what_if.several.compiled.scores, np.float32)
    whole[: len(scores)] = scores
    told = what_if(rules.padded(facts), whole)
    fixed = _labels(told.answer) if told.status not in (STATUS[UNKNOWN], STATUS[NONE]) else STATUS[NONE]
    return Explained(_labels(told.raw), fixed, told.status, told.broken, told.rules, told.why)


def _labels(answer: dict[str, str]) -> str:
    """Return an answer in a line: flags that hold by their names, other values with theirs."""
    held = [
        name if value == "yes" else f"{name} = {value}" for name, value in answer.items() if value != "no"
    ]
    return ", ".join(held) or "no label"


def agreement(program: Program, records: Records, sample: int = 200) -> Agreement | None:
    """Return how often RC2, asked for a sample of records as a whole, finds what the guard's answers cost.

    Args:
        program: what answers.
        records: what it answers; the first `sample` of them are taken.
        sample: how many are solved once more.

    Returns:
        None where the graph has no rules.

    Raises:
        SolverError: the solver process is not available.
    """
    name = rules_node(program.graph)
    node = program.graph.node(name) if name else None
    if not isinstance(node, Rules):
        return None
    rules, part = node.rule_set(*program.graph.input_specs(name)), records.take(slice(0, sample))
    facts = _arriving(program, name, "facts", part)
    scores = _arriving(program, name, "scores", part).astype(np.float32)
    if rules.classes:
        repair = Repair(rules)
        return repair.agreement(scores, facts, repair(scores, facts), len(part))
    several = Several(rules)
    rest = np.zeros((len(scores), several.compiled.scores - scores.shape[1]), np.float32)
    whole, padded = np.concatenate([scores, rest], axis=1), rules.padded(facts)
    return several.agreement(whole, padded, several(whole, padded), len(part))


def _arriving(program: Program, name: str, port: str, records: Records) -> Array:
    """Return what arrives at a port of the rules node, (n, columns)."""
    place = [p.name for p in program.graph.node(name).inputs].index(port)
    parts = [program.inputs_of(name, values)[place] for values in program.runs(records, only=name)]
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if given else np.zeros((len(records), 0), np.float64)


def rule_counts(program: Program, name: str, answer: Answer) -> tuple[RuleCount, ...]:
    """Return how often each rule of a guard was broken, before repair and after."""
    node = program.graph.node(name)
    if not isinstance(node, Rules):
        return ()
    rule_set = node.rule_set(*program.graph.input_specs(name))
    return tuple(
        RuleCount(rule.name, rule.words, int(answer.broken[:, i].sum()), int(answer.left[:, i].sum()))
        for i, rule in enumerate(rule_set.rules)
    )


def class_name(answer: Answer, label: int) -> str:
    """Return the name of a class, or of several labels, "" where the label is none."""
    return name_of(label, answer.classes, several=answer.several)
