"""Answers that broke a rule, what they became and why, and whether RC2 agrees with what they cost.

Frozen values, ready to be shown, of whatever guard the graph has (guard.py says what it may show); look.py
takes them, the constraints panel draws them. Knows no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .guard import Agreement, Bools, Case, Guarded, Showing, Tally
from .label_sets import name_of
from .records import Records
from .runtime.answer import Answer
from .runtime.program import Program


@dataclass(frozen=True)
class RuleCount:
    """How often one rule was broken: by the raw answers, and by the answers after repair.

    Attributes:
        name, words: the rule, and what it says.
        raw, left: how many broke it before repair, and after.
        pack: the title of the domain pack it comes from, or "".
    """

    name: str
    words: str
    raw: int
    left: int
    pack: str = ""


@dataclass(frozen=True)
class Shown:
    """What the guard of a program made of the records it answered.

    Attributes:
        guard: the name of its node.
        showing: what it can show and what a what-if is asked of.
        total: how many answers it decided, each as a whole.
        raw, left: how many of them broke a rule before repair, and after.
        rules: every rule with its counts.
        cases: the answers that broke a rule before repair, in order, up to a limit.
    """

    guard: str
    showing: Showing
    total: int = 0
    raw: int = 0
    left: int = 0
    rules: tuple[RuleCount, ...] = ()
    cases: tuple[Case, ...] = ()


def shown(program: Program, records: Records, answer: Answer, limit: int) -> Shown | None:
    """Return what the guard of a program shows; None where there is none, or it shows nothing.

    Args:
        program: what answers.
        records: what it answered.
        answer: what it said of them, with what stood around its guard.
        limit: most cases that are told in full.
    """
    showing, seen = showing_of(program), answer.guarded
    if showing is None or seen is None:
        return None
    tally = showing.tally(seen)
    wanted = np.flatnonzero(tally.broken.any(1))[:limit]
    cases = _cases(showing, seen, tally, wanted)
    counted = zip(showing.rules, tally.broken.T, tally.left.T, strict=True)
    return Shown(
        program.guard,
        showing,
        total=len(tally.broken),
        raw=_any(tally.broken),
        left=_any(tally.left),
        rules=tuple(RuleCount(r.name, r.words, int(b.sum()), int(x.sum()), r.pack) for r, b, x in counted),
        cases=tuple(replace(case, label=_label(answer, records, tally, case)) for case in cases),
    )


def showing_of(program: Program) -> Showing | None:
    """Return what the guard of a program can show, None where there is none or it shows nothing."""
    name = program.guard
    return program.graph.node(name).showing(*program.graph.input_specs(name)) if name else None


def agreement(program: Program, records: Records, sample: int = 200) -> Agreement | None:
    """Return how often RC2, asked for a sample of records as a whole, finds what the guard's answers cost.

    Args:
        program: what answers.
        records: what it answers; the first `sample` of them are taken.
        sample: how many are solved once more.

    Returns:
        None where the graph has no rules, or its guard has no such comparison.

    Raises:
        SolverError: the solver process is not available.
    """
    showing = showing_of(program)
    if showing is None or not showing.verified:
        return None
    seen = program.answer(records.take(slice(0, sample)), guarded=True).guarded
    return showing.agreement(seen) if seen else None


def _cases(showing: Showing, seen: Guarded, tally: Tally, wanted: np.ndarray) -> tuple[Case, ...]:
    """Return the cases of some numbers, with the records they begin with."""
    rows = np.flatnonzero(np.isin(tally.case, wanted))
    if not len(rows):
        return ()
    found = showing.cases(seen.take(rows))
    return tuple(replace(case, record=int(rows[case.record])) for case in found)


def _label(answer: Answer, records: Records, tally: Tally, case: Case) -> str:
    """Return the true class of a case that is one record, "" for others."""
    alone = (tally.case == tally.case[case.record]).sum() == 1
    return class_name(answer, int(records.labels[case.record])) if alone else ""


def _any(flags: Bools) -> int:
    return int(flags.any(1).sum())


def class_name(answer: Answer, label: int) -> str:
    """Return the name of a class, or of several labels, "" where the label is none."""
    return name_of(label, answer.classes, several=answer.several)
