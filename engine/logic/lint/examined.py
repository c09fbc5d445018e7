"""What an examination has found, by number of rule and variable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..normal import Bools

Reasons = dict[int, tuple[int, ...] | None]  # None: not found out in time


@dataclass(frozen=True)
class Examined:
    """What is known of a rule set; rules and variables by their number in the form, from 0.

    Attributes:
        satisfiable: whether all hard rules can be kept at once; None: not found out in time.
        cores: where they cannot, sets of rules that cannot be kept together, none of which can be left out;
            no rule is in two of them.
        never: variables that are false wherever the rules are kept.
        always: variables that are true wherever they are.
        fixed: for the literal of each of these, +v or -v with v from 1, rules that make it hold, none of
            which can be left out.
        lifted: those of these literals that need not hold where a fact is missing.
        implied: for a rule that the others imply, rules that do, none of which can be left out (but for one
            in `vacuous`: there it is the same rules).
        removable: implied rules that can all be left out at once.
        gaps: implied rules that are still needed for records with a fact missing.
        vacuous: for a rule whose condition the others keep from ever holding, those that do.
        same: pairs of implied rules that say the same, wherever the facts are known; not all there are.
        equal: pairs of variables that are equal wherever the rules are kept.
        soft_core: soft rules that cannot all be kept at once, none of which can be left out.
        witnesses: for a rule, values that break it and no other hard rule, bool (variables,); soft rules
            break beside it only where they must.
        open: rules about which nothing was found out in time.
    """

    satisfiable: bool | None
    cores: tuple[tuple[int, ...], ...] = ()
    never: tuple[int, ...] = ()
    always: tuple[int, ...] = ()
    fixed: Reasons = field(default_factory=dict)
    lifted: tuple[int, ...] = ()
    implied: Reasons = field(default_factory=dict)
    removable: tuple[int, ...] = ()
    gaps: tuple[int, ...] = ()
    vacuous: Reasons = field(default_factory=dict)
    same: tuple[tuple[int, int], ...] = ()
    equal: tuple[tuple[int, int], ...] = ()
    soft_core: tuple[int, ...] = ()
    witnesses: tuple[tuple[int, Bools], ...] = ()
    open: tuple[int, ...] = ()

    @classmethod
    def of(cls, told: dict[str, Any]) -> Examined:
        """Return what the solver process has told (lint/examination.py)."""
        return cls(
            satisfiable=told["satisfiable"],
            cores=tuple(map(tuple, told["cores"])),
            never=tuple(sorted(-x - 1 for x, _ in told["fixed"] if x < 0)),
            always=tuple(sorted(x - 1 for x, _ in told["fixed"] if x > 0)),
            fixed=_reasons(told["fixed"]),
            lifted=tuple(told["lifted"]),
            implied=_reasons(told["implied"]),
            removable=tuple(sorted(told["removable"])),
            gaps=tuple(sorted(told["gaps"])),
            vacuous=_reasons(told["vacuous"]),
            same=tuple((a, b) for a, b in told["same"]),
            equal=tuple((a - 1, b - 1) for a, b in told["equal"]),
            soft_core=tuple(told["soft_core"]),
            witnesses=tuple((i, np.array(model) > 0) for i, model in told["witnesses"]),
            open=tuple(told["open"]),
        )

    @property
    def core(self) -> tuple[int, ...]:
        """Return the first conflict, or ()."""
        return self.cores[0] if self.cores else ()

    @property
    def redundant(self) -> tuple[int, ...]:
        """Return the rules that the others imply, whether facts are missing or not."""
        return tuple(sorted(i for i in self.implied if i not in self.gaps))


def _reasons(told: list[Any]) -> Reasons:
    return {int(rule): None if why is None else tuple(why) for rule, why in told}
