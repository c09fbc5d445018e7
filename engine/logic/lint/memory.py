"""What is remembered of rules from one text to the next, so that a keystroke asks only about what it changed.

All of it is about what rules mean, not where they stand: a record stays a record, and a rule that follows from
others does so in any text that has them. Records are judged anew by each text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...ports import F64, I64
from ..normal import Bools
from .examination import Known

MOST_RECORDS = 1_500
_MOST_REASONS = 4_000

Keys = Sequence[Hashable]  # what each rule goes by: its formula as written
Told = dict[int, tuple[int, ...] | None]


@dataclass
class Memory:
    """What is known of rules over one vocabulary.

    Attributes:
        facts: records, float64 (columns,) each, no fact missing.
        values: their answers, int64 (decided,) each.
    """

    facts: list[F64] = field(default_factory=list)
    values: list[I64] = field(default_factory=list)
    _implied: dict[Hashable, tuple[Hashable, ...]] = field(default_factory=dict)
    _vacuous: dict[Hashable, tuple[Hashable, ...]] = field(default_factory=dict)
    _fixed: dict[Hashable, tuple[Hashable, ...]] = field(default_factory=dict)

    def add_record(self, facts: F64, values: I64) -> None:
        """Remember a record; the oldest are forgotten."""
        self.facts.append(facts)
        self.values.append(values)
        del self.facts[:-MOST_RECORDS], self.values[:-MOST_RECORDS]

    def learn(self, keys: Keys, implied: Told, vacuous: Told, fixed: Told) -> None:
        """Remember reasons, each by rule or literal, where they are known."""
        for kept, told in ((self._implied, implied), (self._vacuous, vacuous)):
            _remember(kept, {keys[i]: why for i, why in told.items()}, keys)
        _remember(self._fixed, dict(fixed), keys)

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
                known.fixed[int(str(literal))] = why


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


def _remember(
    kept: dict[Hashable, tuple[Hashable, ...]], told: dict[Hashable, tuple[int, ...] | None], keys: Keys
) -> None:
    if len(kept) + len(told) > _MOST_REASONS:
        kept.clear()
    for key, why in told.items():
        reasons = None if why is None else tuple(keys[i] for i in why)
        if reasons is not None and key not in reasons:  # of two rules in the same words each implies the other
            kept[key] = reasons


def _placed(reasons: tuple[Hashable, ...] | None, place: dict[Hashable, int]) -> list[int] | None:
    if reasons is None or not all(reason in place for reason in reasons):
        return None
    return sorted(place[reason] for reason in reasons)
