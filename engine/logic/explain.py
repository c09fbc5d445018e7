"""Why an answer was replaced: the rules it broke, the facts that fired them, the least that decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..guard import BrokenRule
from ..ports import F32, F64, I64, Column
from .measures import UNKNOWN, Outcomes
from .pipeline import ALLOWED, NONE, OPTIMAL, STATUS
from .ruleset import RuleSet
from .truth import Bools, truth
from .vocabulary import CLASS
from .wording import listed


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
        confidence: the probability of the answer given the rules; None where no scores were given.
        alternative: the next likely class that is allowed, with its probability given the rules.
    """

    said: str
    fixed: str
    status: str
    broken: tuple[BrokenRule, ...]
    decisive: tuple[str, ...]
    why: str
    confidence: float | None = None
    alternative: tuple[str, float] | None = None


def explain(rules: RuleSet, facts: F64, raw_label: int, label: int, scores: F32 | None = None) -> Explained:
    """Return what became of one answer and why.

    Args:
        rules: the rules, which decide a class.
        facts: float64 (columns,), the facts of the record.
        raw_label: the raw answer, 0 to classes - 1.
        label: the repaired answer; -1 where no class is allowed.
        scores: float32 (classes,), the scores after the rules, for the confidence and the next best class.
    """
    forbids = rules.broken(np.tile(facts, (len(rules.classes), 1)), _with_class(rules))
    hard = [i for i, rule in enumerate(rules.rules) if rule.weight is None]
    said = rules.classes[raw_label]
    fixed = rules.classes[label] if label >= 0 else STATUS[NONE]
    broken = broken_rules(rules, facts, _with_class(rules)[raw_label])
    decisive: tuple[int, ...] = ()
    if label < 0:
        decisive = conflict(forbids[:, hard])
        status, why = STATUS[NONE], _nothing_left(rules, tuple(hard[i] for i in decisive))
    elif label == raw_label:
        status, why = _stands(said, broken)
    else:
        decisive, status = conflict(forbids[[raw_label]][:, hard]), STATUS[OPTIMAL]
        why = _changed(rules, tuple(hard[i] for i in decisive), broken, said, fixed)
    names = tuple(rules.names[hard[i]] for i in decisive)
    confidence, next_ = _chances(rules, label, scores)
    return Explained(said, fixed, status, broken, names, why, confidence, next_)


def broken_rules(rules: RuleSet, facts: F64, answer: I64) -> tuple[BrokenRule, ...]:
    """Return the rules that an answer breaks, with the facts that fired each.

    Args:
        rules: the rules.
        facts: float64 (columns,), NaN for a gap.
        answer: int64 (decided,), the number of the value of each decided variable, -1 where it is open.
    """
    facts = rules.padded(facts)
    tests = rules.outcomes(facts[None])
    return fired(rules, facts, tests, answer, rules.broken_by(tests, answer[None])[0])


def fired(rules: RuleSet, facts: F64, tests: Outcomes, answer: I64, broken: Bools) -> tuple[BrokenRule, ...]:
    """Return the same where it is known which rules are broken, bool (rules,), and what the tests say.

    Args:
        rules: the rules.
        facts: float64 (columns,), NaN for a gap.
        tests: int8 (1, tests), the outcomes of the rules' tests.
        answer: int64 (decided,), the number of the value of each decided variable, -1 where it is open.
        broken: bool (rules,), which of them the answer breaks.
    """
    told = ((i, rules.rules[i]) for i in np.flatnonzero(broken).tolist())
    return tuple(
        BrokenRule(rule.name, rule.words, rule.reason, rule.source, _facts(rules, i, facts, tests, answer))
        for i, rule in told
    )


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


def _with_class(rules: RuleSet) -> I64:
    """Return an answer for each class, (classes, decided), that leaves open what else is decided."""
    answers = np.full((len(rules.classes), len(rules.vocabulary.decided)), -1, np.int64)
    answers[:, rules.vocabulary.decided_numbers[CLASS]] = np.arange(len(rules.classes))
    return answers


def _facts(rules: RuleSet, number: int, facts: F64, tests: Outcomes, answer: I64) -> tuple[str, ...]:
    """Return the facts that a rule is broken by: without any one of them it would not be."""
    tested = rules.tested[number]
    asked = {column for i in tested if rules.tests[i].kind == "known" for column in rules.tests[i].columns}
    row, bound, answers = tests.copy(), rules.rules[number].bound, answer[None]
    found: list[str] = []
    for index in sorted({column for i in tested for column in rules.tests[i].columns}):
        column, value = rules.columns[index], float(facts[index])
        if np.isnan(value):
            if index in asked:
                found.append(f"{column.name} is missing")
            continue
        kept = row.copy()
        for i in tested:  # as they are on a gap
            if index in rules.tests[i].columns:
                row[0, i] = 0 if rules.tests[i].kind == "known" else UNKNOWN
        if not truth(bound, row, answers).no[0]:
            row = kept
            found.append(f"{column.name} = {_value(column, value)}")
    return tuple(found)


def _value(column: Column, value: float) -> str:
    if column.categories:
        return column.categories[int(value)]
    return f"{value:.10g}"


def _stands(said: str, broken: tuple[BrokenRule, ...]) -> tuple[str, str]:
    if not broken:
        return STATUS[ALLOWED], f"{said} breaks no rule and stands."
    soft = listed(tuple(rule.name for rule in broken))
    return STATUS[OPTIMAL], f"{said} stands, though it breaks {soft}: any other class costs more."


def _changed(
    rules: RuleSet, decisive: tuple[int, ...], broken: tuple[BrokenRule, ...], said: str, fixed: str
) -> str:
    if decisive:
        rule = rules.rules[decisive[0]]
        because = rule.reason or rule.words
        out = f"{said} is ruled out by {rule.name} ({because})"
        return f"{out}; {fixed} is the likeliest class that breaks no rule."
    if broken:
        soft = listed(tuple(rule.name for rule in broken))
        return f"{said} breaks {soft}, which costs more than {fixed}."
    return f"{said} breaks no rule; {fixed} was chosen elsewhere."


def _chances(rules: RuleSet, label: int, scores: F32 | None) -> tuple[float | None, tuple[str, float] | None]:
    """Return the probability of the answer given the rules, and the next likely class with its own."""
    if scores is None or label < 0:
        return None, None
    chances = np.exp(scores.astype(np.float64) - float(scores.max()))
    chances /= chances.sum()
    order = [c for c in np.argsort(-chances, kind="stable").tolist() if c != label and chances[c] > 0]
    next_ = (rules.classes[order[0]], float(chances[order[0]])) if order else None
    return float(chances[label]), next_


def _nothing_left(rules: RuleSet, decisive: tuple[int, ...]) -> str:
    if not decisive:
        return "The scores rule out every class that the rules allow."
    names = tuple(rules.rules[i].name for i in decisive)
    if len(names) == 1:
        return f"No class is left: {names[0]} forbids every class for these facts."
    return f"No class is left: {listed(names)} cannot all be kept for these facts."
