"""What is remembered of rules from one text to the next, so that a keystroke asks only about what it changed.

All of it is about what rules mean, not where they stand: a record stays a record, and a rule that follows
from others does so in any text that has them. Records are judged anew by each text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...ports import F64, I64
from ..normal import Bools
from ..ruleset import Rule, RuleSet
from ..truth import outcomes, truth
from .examination import Known

MOST_RECORDS = 1_500
MOST_ANSWERS = 40
_MOST_REASONS = 4_000

Keys = Sequence[int]  # what each rule goes by
Told = dict[int, tuple[int, ...] | None]


@dataclass
class Memory:
    """What is known of rules over one vocabulary.

    Attributes:
        facts: records, float64 (columns,) each, no fact missing.
        values: their answers, int64 (decided,) each.
        answers: answers that helped to find out whether all facts have one, int64 (decided,) each.
    """

    facts: list[F64] = field(default_factory=list)
    values: list[I64] = field(default_factory=list)
    answers: list[I64] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _broken: dict[int, Bools] = field(default_factory=dict)  # rule -> which records break it
    _implied: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _vacuous: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _fixed: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def keys(self, rules: Sequence[Rule]) -> Keys:
        """Return a number for each rule, the same for rules in the same words."""
        return [self._numbers.setdefault((r.written, r.weight is None), len(self._numbers)) for r in rules]

    def add_record(self, facts: F64, values: I64) -> None:
        """Remember a record; when there are too many, the older half is forgotten."""
        if len(self.facts) == MOST_RECORDS:
            half = MOST_RECORDS // 2
            del self.facts[:half], self.values[:half]
            self._broken.clear()
        self.facts.append(facts)
        self.values.append(values)

    def broken(self, rules: RuleSet, keys: Keys) -> Bools:
        """Return which rules each record breaks, bool (records, rules)."""
        facts, values = np.array(self.facts), np.array(self.values)
        tests = outcomes(rules.tests, facts)
        for key, rule in zip(keys, rules.rules, strict=True):
            there = self._broken.get(key, np.empty(0, np.bool_))
            new = slice(len(there), None)
            if len(there) < len(facts):
                more = truth(rule.bound, tests[new], values[new]).no
                self._broken[key] = np.concatenate([there, more])
        self._broken = {key: self._broken[key] for key in keys}
        return np.array([self._broken[key] for key in keys], np.bool_).T.reshape(len(facts), len(keys))

    def learn(self, keys: Keys, implied: Told, vacuous: Told, fixed: Told) -> None:
        """Remember reasons, each by rule or literal, where they are known."""
        for kept, told in ((self._implied, implied), (self._vacuous, vacuous)):
            _remember(kept, {keys[i]: why for i, why in told.items()}, keys)
        _remember(self._fixed, fixed, keys)

    def recall(self, keys: Keys, known: Known) -> None:
        """Put into `known` the reasons whose rules are all there."""
        place = {key: i for i, key in enumerate(keys)}
        often = Counter(keys)
        for i, key in enumerate(keys):
            if often[key] == 1 and (why := _placed(self._implied.get(key), place)) is not None:
                known.implied[i] = why
                if (vacuous := _placed(self._vacuous.get(key), place)) is not None:
                    known.vacuous[i] = vacuous
        for literal, reasons in self._fixed.items():
            if (why := _placed(reasons, place)) is not None:
                known.fixed[literal] = why


def judged(broken: Bools, hard: Bools) -> tuple[list[int], dict[int, int]]:
    """Return the records that break no hard rule, and for a rule a record that breaks no other hard rule.

    Of several that break a rule alone it is the one that breaks the fewest soft rules.

    Args:
        broken: bool (records, rules).
        hard: bool (rules,).
    """
    count = (broken & hard).sum(1)
    beside = (broken & ~hard).sum(1)
    alone: dict[int, int] = {}
    for record in np.argsort(-beside, kind="stable").tolist():
        if count[record] == 0:
            alone.update(dict.fromkeys(np.flatnonzero(broken[record]).tolist(), record))
        elif count[record] == 1:
            alone[int(np.flatnonzero(broken[record] & hard)[0])] = record
    return np.flatnonzero(count == 0).tolist(), alone


def _remember(kept: dict[int, tuple[int, ...]], told: Told, keys: Keys) -> None:
    if len(kept) + len(told) > _MOST_REASONS:
        kept.clear()
    for key, why in told.items():
        reasons = None if why is None else tuple(keys[i] for i in why)
        if (
            reasons is not None and key not in reasons
        ):  # of two rules in the same words each implies the other
            kept[key] = reasons


def _placed(reasons: tuple[int, ...] | None, place: dict[int, int]) -> list[int] | None:
    if reasons is None or not all(reason in place for reason in reasons):
        return None
    return sorted(place[reason] for reason in reasons)
