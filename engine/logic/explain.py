"""Why an answer was replaced: the rules it broke, the facts that fired them, the least that decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..ports import F64, Column
from .pipeline import ALLOWED, NONE, OPTIMAL, STATUS
from .ruleset import Rule, RuleSet
from .truth import Bools
from .wording import listed


@dataclass(frozen=True)
class BrokenRule:
    """One rule that the raw answer broke.

    Attributes:
        name: its name.
        words: what it says.
        reason: why it holds, or "".
        source: where it comes from, or "".
        facts: the facts of the record that fired it, in words: `safety = low`; leaving any one out, the
            rule would not be broken.
    """

    name: str
    words: str
    reason: str
    source: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Explained:
    """What became of one answer.

    Attributes:
        said: the raw answer's class name.
        fixed: the answer after repair; `none` where no class is allowed.
        status: `allowed`, `optimal` or `none`.
        broken: the rules the raw answer broke, in their order.
        decisive: names of rules that rule out the raw answer by themselves, or every class where none is
            left; no smaller part of them does.
        why: one sentence.
    """

    said: str
    fixed: str
    status: str
    broken: tuple[BrokenRule, ...]
    decisive: tuple[str, ...]
    why: str


def explain(rules: RuleSet, facts: F64, raw_label: int, label: int) -> Explained:
    """Return what became of one answer and why.

    Args:
        rules: the rules.
        facts: float64 (columns,), the facts of the record.
        raw_label: the raw answer, 0 to classes - 1.
        label: the repaired answer; -1 where no class is allowed.
    """
    forbids = rules.broken(np.tile(facts, (len(rules.classes), 1)), np.arange(len(rules.classes)))
    said = rules.classes[raw_label]
    fixed = rules.classes[label] if label >= 0 else STATUS[NONE]
    broken = tuple(
        _broken(rules, rule, facts, raw_label)
        for rule, hit in zip(rules.rules, forbids[raw_label], strict=True)
        if hit
    )
    if label < 0:
        decisive = conflict(forbids)
        status, why = STATUS[NONE], _nothing_left(rules, decisive)
    elif label == raw_label:
        decisive, status, why = (), STATUS[ALLOWED], f"{said} breaks no rule and stands."
    else:
        decisive, status = conflict(forbids[[raw_label]]), STATUS[OPTIMAL]
        why = _changed(rules, decisive, said, fixed)
    return Explained(said, fixed, status, broken, tuple(rules.names[i] for i in decisive), why)


def conflict(forbids: Bools) -> tuple[int, ...]:
    """Return rules that together forbid each row of `forbids`, bool (classes, rules); no part of them does.

    Deletion: rules are dropped one by one for as long as the rest still suffices, those that forbid the
    fewest classes first. () where all rules together do not suffice.
    """
    kept = list(range(forbids.shape[1]))
    if not forbids[:, kept].any(1).all():
        return ()
    for rule in sorted(kept, key=lambda i: (int(forbids[:, i].sum()), -i)):
        rest = [i for i in kept if i != rule]
        if forbids[:, rest].any(1).all():
            kept = rest
    return tuple(kept)


def _broken(rules: RuleSet, rule: Rule, facts: F64, label: int) -> BrokenRule:
    return BrokenRule(rule.name, rule.words, rule.reason, rule.source, _fired(rules, rule, facts, label))


def _fired(rules: RuleSet, rule: Rule, facts: F64, label: int) -> tuple[str, ...]:
    tests = rules.tests_of(rule)
    number = rules.names.index(rule.name)
    asked = {column for test in tests if test.kind == "known" for column in test.columns}
    row = facts.copy()
    fired: list[str] = []
    for index in sorted({column for test in tests for column in test.columns}):
        column, value = rules.columns[index], float(facts[index])
        if np.isnan(value):
            if index in asked:
                fired.append(f"{column.name} is missing")
            continue
        row[index] = np.nan
        if rules.broken(row[None], np.array([label]))[0, number]:
            continue
        row[index] = value
        fired.append(f"{column.name} = {_value(column, value)}")
    return tuple(fired)


def _value(column: Column, value: float) -> str:
    if column.categories:
        return column.categories[int(value)]
    return f"{value:.10g}"


def _changed(rules: RuleSet, decisive: tuple[int, ...], said: str, fixed: str) -> str:
    if not decisive:
        return f"{said} breaks no rule; {fixed} was chosen elsewhere."
    rule = rules.rules[decisive[0]]
    because = rule.reason or rule.words
    return (
        f"{said} is ruled out by {rule.name} ({because}); {fixed} is the likeliest class that breaks no rule."
    )


def _nothing_left(rules: RuleSet, decisive: tuple[int, ...]) -> str:
    if not decisive:
        return "The scores rule out every class that the rules allow."
    names = tuple(rules.rules[i].name for i in decisive)
    if len(names) == 1:
        return f"No class is left: {names[0]} forbids every class for these facts."
    return f"No class is left: {listed(names)} cannot all be kept for these facts."
