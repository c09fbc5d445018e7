"""What a guard shows of the answers it guards: cases, what each broke, what changed, and what else would be.

A node that keeps answers to rules states it by `Node.showing`. The constraints panel lists, filters, draws
and plays with whatever is given here, and knows no guard by name: a new kind needs nothing in the window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .ports import F64, I64, Array, Arrays, Column

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BrokenRule:
    """One rule that a raw answer broke.

    Attributes:
        name: its name.
        words: what it says.
        reason: why it holds, or "".
        source: where it comes from, or "".
        facts: what of the case fired it, in words: `safety = low`, `at step 3, ship`.
    """

    name: str
    words: str
    reason: str = ""
    source: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class GuardRule:
    """A rule of a guard: its name, what it says, and the title of the domain pack it comes from, or ""."""

    name: str
    words: str
    pack: str = ""


@dataclass(frozen=True)
class Agreement:
    """A sample of records solved once more by RC2.

    Attributes:
        sampled: how many records, of those whose answers claim to be the cheapest.
        solved: of how many RC2 gave an answer in time.
        agreed: of how many of these it cost the same, or neither found any.
        seconds: how long RC2 took.
    """

    sampled: int
    solved: int
    agreed: int
    seconds: float = 0.0

    def figures(self) -> dict[str, float]:
        """Return it for JSON."""
        return {
            "records": self.sampled,
            "solved": self.solved,
            "agreed": self.agreed,
            "seconds": self.seconds,
        }

    def words(self) -> str:
        """Return it in a sentence."""
        count = "1 record" if self.solved == 1 else f"{self.solved:,} records"
        words = f"RC2 agrees on {self.agreed:,} of {count} that it solved once more"
        late = f"{self.solved:,} of {self.sampled:,} checked in {self.seconds:.3g} s"
        return f"{words} ({late})." if self.solved < self.sampled else f"{words}."


@dataclass(frozen=True)
class Bars:
    """The values of one decision, or labels that hold or not, with their probabilities.

    Attributes:
        values: their names.
        raw, after: float64 (values,), by the scores alone and under the rules.
        out: numbers of those that the rules forbid.
        note: a sentence about what comes next best, or "".
    """

    values: tuple[str, ...]
    raw: F64 = field(compare=False)
    after: F64 = field(compare=False)
    out: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One of the things that a guard decides together: a step of a sequence, a cell of a board.

    Attributes:
        name: what it is called.
        said, fixed: its value in the raw answer and in the answer, "" for none.
        changed: whether the guard changed what was said.
        broken: names of the rules that its raw value breaks.
        pins: the values it may be fixed to in a what-if, by what they are called: name -> words.
        pinned: the name of the value it is fixed to, or "".
        short: a shorter name for lists, or "".
        given: whether the answer rests on it; where not, its value follows from the others.
    """

    name: str
    said: str
    fixed: str
    changed: bool = False
    broken: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    pinned: str = ""
    given: bool = True
    short: str = ""


@dataclass(frozen=True)
class Grid:
    """Parts side by side.

    Attributes:
        parts: the parts, row by row.
        columns: how many stand in a row; 0: one after the other, in as many rows as it takes.
        block: a stronger line stands after every so many rows and columns; 0 for none.
        noun: what a part is called.
    """

    parts: tuple[Part, ...]
    columns: int = 0
    block: int = 0
    noun: str = "part"

    @property
    def changed(self) -> tuple[Part, ...]:
        """Return the parts that the guard changed."""
        return tuple(part for part in self.parts if part.changed)

    def line(self, *, fixed: bool) -> str:
        """Return all values in a line, of the answer or of the raw one; a point stands for none."""
        values = [(part.fixed if fixed else part.said) or "." for part in self.parts]
        return ("" if all(len(value) == 1 for value in values) and self.columns else " ").join(values)


@dataclass(frozen=True)
class Case:
    """What became of one raw answer that a guard decides as a whole, and why.

    Attributes:
        said, fixed: the raw answer and the answer, in few words.
        status: a word of STATUS (logic/pipeline.py).
        why: one sentence.
        broken: the rules that the raw answer broke, in their order.
        left: names of the rules that the answer breaks still.
        picture: both answers, to be drawn side by side.
        given: what arrived at the guard, by input port, of the records of this case.
        engine: what gave the answer, or "".
        title: what it is called; the record's number where "".
        record: the index of its (first) record among those looked at.
        label: the true class by name, "" where that is not known.
    """

    said: str
    fixed: str
    status: str
    why: str
    broken: tuple[BrokenRule, ...]
    left: tuple[str, ...] = ()
    picture: Bars | Grid | None = None
    given: tuple[Array | None, ...] = field(default=(), compare=False, repr=False)
    engine: str = ""
    title: str = ""
    record: int = 0
    label: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the rules it broke, by name."""
        return tuple(rule.name for rule in self.broken)


@dataclass(frozen=True)
class Guarded:
    """n records at a guard: what arrived, by input port, and what it gave, by the name of its output."""

    inputs: tuple[Array | None, ...]
    outputs: Arrays

    def take(self, rows: I64) -> Guarded:
        """Return some of the records."""
        inputs = tuple(None if array is None else array[rows] for array in self.inputs)
        return Guarded(inputs, {name: array[rows] for name, array in self.outputs.items()})


@dataclass(frozen=True)
class Tally:
    """What a guard decided, of n records.

    Attributes:
        case: int64 (n,), the case that a record belongs to, counted from 0; -1 for none.
        broken, left: bool (cases, rules), which rules each raw answer broke, and each answer breaks still.
    """

    case: I64
    broken: Bools
    left: Bools


class Showing(ABC):
    """What a guard can show; made anew for what arrives at it.

    Attributes:
        unit: what it decides as a whole, as a noun.
        verified: whether `agreement` is there.
        alone: where it is not, why no other solver is asked, in a sentence without its point; or "".
        rules: its rules, in the order of the columns of a tally.
        columns: the facts that a what-if may change, () for none.
    """

    unit: ClassVar[str] = "answer"
    verified: bool = False
    alone: str = ""
    rules: tuple[GuardRule, ...] = ()
    columns: tuple[Column, ...] = ()

    @abstractmethod
    def tally(self, seen: Guarded) -> Tally:
        """Return what was broken before and after, case by case."""

    @abstractmethod
    def cases(self, seen: Guarded) -> tuple[Case, ...]:
        """Return every case among these records; `record` counts from 0."""

    def used(self) -> frozenset[int]:
        """Return the places of the facts that rules speak of."""
        return frozenset(range(len(self.columns)))

    def facts(self, case: Case) -> F64:
        """Return the facts of a case, float64 (columns,), NaN for a gap."""
        return np.zeros(0, np.float64)

    @abstractmethod
    def again(self, case: Case, facts: F64, pins: Mapping[str, str]) -> Case:
        """Return what would become of a case.

        Args:
            case: the case.
            facts: float64 (columns,), the facts as they would be.
            pins: the values that parts are fixed to, by the name of the part.

        Raises:
            PolybitError: it cannot be found out.
        """

    def agreement(self, seen: Guarded) -> Agreement:
        """Return how often RC2 agrees with what the answers to these records cost.

        Raises:
            SolverError: the solver process is not available.
        """
        raise NotImplementedError


def per_record(seen: Guarded) -> Tally:
    """Return the tally of a guard that decides record by record, from its outputs `broken` and `left`."""
    broken, left = seen.outputs["broken"] > 0, seen.outputs["left"] > 0
    return Tally(np.arange(len(broken)), broken, left)


def alike(case: Case, other: Case) -> Case:
    """Return `case` as an answer to the same question as `other`."""
    return replace(case, record=other.record, label=other.label, title=other.title, given=other.given)


def changes(picture: Grid, *, fixed: bool, most: int = 3) -> str:
    """Return the values of the parts that were changed in a line: `3 pay, 5 ship and 2 more`."""
    parts = picture.changed
    values = [(part.fixed if fixed else part.said) or "blank" for part in parts]
    named = [f"{part.short or part.name} {value}" for part, value in zip(parts, values, strict=True)][:most]
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return f"{', '.join(named)}{more}" if named else "as it was"
