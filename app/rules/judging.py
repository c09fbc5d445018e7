"""What the rules say of one record: each rule's truth, and the answer before and after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.editor.marks import Truth
from app.panels.class_bars import percent
from engine.errors import PolybitError
from engine.logic.account import Account
from engine.logic.ruleset import RuleSet
from engine.logic.truth import truth
from engine.logic.vocabulary import CLASS
from engine.logic.whatif import WhatIf
from engine.ports import F32, F64, I64

UNDECIDED = -1
LABELLED, RAW, FIXED, OPEN = "labelled", "raw", "fixed", "none"  # which answer is judged
NAMED = "class:"  # or the class of this name


@dataclass(frozen=True)
class Judged:
    """One record under the rules.

    Attributes:
        truths: of every rule, in order, for the answer that is judged.
        raw: for each decided variable the probabilities of its values by the scores; empty without a model.
        account: what became of the answer, None without a model.
        failed: why there is no account, or "".
    """

    truths: tuple[Truth, ...]
    raw: Mapping[str, F64]
    account: Account | None = None
    failed: str = ""


class Judge:
    """Judges records under one set of rules, by the solver's engines made ready once."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._what_if: WhatIf | None = None

    def __call__(self, facts: F64, scores: F32 | None, wanted: str, labelled: int) -> Judged:
        """Return what the rules say of one record.

        Args:
            facts: float64 (columns,), NaN for a gap.
            scores: float32, the scores that arrive at the guard; None without a model.
            wanted: which answer is judged: LABELLED, RAW, FIXED, OPEN, or a class after NAMED.
            labelled: the class the data gives the record, -1 for none.
        """
        account, failed = self._account(facts, scores)
        values = self._values(wanted, labelled, account)
        raw = probabilities(self.rules, scores) if account and scores is not None else {}
        return Judged(truths(self.rules, facts, values), raw, account, failed)

    def _account(self, facts: F64, scores: F32 | None) -> tuple[Account | None, str]:
        if scores is None:
            return None, ""
        try:
            if self._what_if is None:
                self._what_if = WhatIf(self.rules)
            return self._what_if(facts, scores), ""
        except PolybitError as error:
            return None, str(error)

    def _values(self, wanted: str, labelled: int, account: Account | None) -> I64:
        vocabulary = self.rules.vocabulary
        values = np.full(len(vocabulary.decided), UNDECIDED, np.int64)
        told = {RAW: account.raw, FIXED: account.answer}.get(wanted, {}) if account else {}
        for name, text in told.items():
            number = vocabulary.decided_numbers[name]
            values[number] = vocabulary.decided[number].names.index(text)
        if CLASS in vocabulary.decided_numbers:
            number = vocabulary.decided_numbers[CLASS]
            classes = vocabulary.decided[number].names
            named = wanted.removeprefix(NAMED)
            if wanted == LABELLED and labelled < len(classes):
                values[number] = labelled
            elif wanted.startswith(NAMED) and named in classes:
                values[number] = classes.index(named)
        return values


def truths(rules: RuleSet, facts: F64, values: I64) -> tuple[Truth, ...]:
    """Return the truth of every rule for one record.

    Args:
        rules: the rules.
        facts: float64 (columns,), NaN for a gap.
        values: int64 (decided,), the number of the value of each decided variable, UNDECIDED for none.
    """
    tests = rules.outcomes(facts[None])
    found = (truth(rule.bound, tests, values[None]) for rule in rules.rules)
    return tuple("true" if t.yes[0] else "false" if t.no[0] else "unknown" for t in found)


def probabilities(rules: RuleSet, scores: F32) -> dict[str, F64]:
    """Return the probabilities of the values of each decided variable by the scores alone."""
    found: dict[str, F64] = {}
    at = 0
    for variable in rules.vocabulary.decided:
        width = 1 if variable.kind == "flag" else len(variable.names)
        those = scores[at : at + width].astype(np.float64)
        at += width
        if variable.kind == "flag":
            those = np.array([0.0, those[0]])
        shares = np.exp(those - those.max())
        found[variable.name] = shares / shares.sum()
    return found


def scores_of(rules: RuleSet) -> int:
    """Return how many scores there are to a record: one a flag, one a value of anything else."""
    return sum(1 if v.kind == "flag" else len(v.names) for v in rules.vocabulary.decided)


def accounted(told: Account) -> str:
    """Return status, engine and the cheapest alternative of a record, in a line."""
    parts = [f"{told.status}, by {told.engine}: {told.how}"]
    if told.alternative:
        other = ", ".join(f"{change.name} = {change.now}" for change in told.alternative.changes)
        dearer = told.alternative.cost - told.cost
        parts.append(f"next best: {other}, {dearer:.2f} nats dearer")
    if told.compliance is not None:
        parts.append(f"the scores alone keep the rules with {percent(told.compliance)}")
    return f"{' · '.join(parts)}."
