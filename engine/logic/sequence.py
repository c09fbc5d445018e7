"""The sequence guard: rules over the order of events, enforced exactly on every sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from ..allowance import allowed, batch_seconds
from ..errors import RuleError, SolverError
from ..fields import choice, hidden, packs, rules, text
from ..guard import Showing
from ..node import Family, Node, Predictor, ShapeError, Specs, wired
from ..ports import F32, F64, I32, I64, Array, Arrays, Column, Port, Spec
from .durations import UNITS
from .event_matching import matched_events
from .language import parse
from .lowering import SCALE
from .matching import pack_keys, titles_of
from .packs import pack_of
from .pipeline import STATUS
from .ruleset import RuleSet
from .sequence_guard import SequenceGuard
from .sequence_showing import Asked, SequenceShowing
from .sequences.automaton import Bools
from .sequences.clock import Times
from .sequences.engine import IMPOSSIBLE
from .sequences.examine import core_of
from .wording import listed

_MOST_STATES = 2_000  # of rules looked through for a clash; more are taken to go together
MOST_COST = 1 << 40  # of an event, in 1 / SCALE nats; less likely ones count as this


@dataclass(frozen=True)
class Sequence(Node):
    """Relabels a sequence of events so that it keeps every rule, and is as probable as it can be.

    Scores are one row a step and one column an event type. Of all sequences of that length the one with the
    greatest sum of scores is taken that breaks no hard rule; a soft rule that it breaks takes its weight, in
    nats, off the sum. It is exact: products of the rules' automata, swept by Viterbi in the min-plus
    semiring. A score of -inf, or none, rules an event out at its step. Where a step keeps its likeliest event
    its scores pass as they are; where it is changed, the old event gets the score of the new one, and the new
    one the next number above the old one's.

    Attributes:
        events: names of the event types in the order of the columns, with commas; e1, e2 ... if left out.
        rules: the rules, in the rule language; none allow everything.
        length: the column of facts that says how many steps a sequence has; all steps if left out, and for a
            record with a gap there.
        stamps: what the columns of facts that say when each step is begin with; 1, 2 ... follows in each.
            Rules in time ask only for what holds at any times where it is left out.
        unit: what the stamps are counted in.
        places: the same of two rows of columns, degrees north and degrees east, with a comma between.
        packs: keys of shipped domain packs whose rules over events count too, separated by commas. Their
            events and facts are those of the same name; of an event that the scores lack none happens.
        carried: (key, file) of each pack as a model file holds it. It counts in place of the shipped one,
            which may have changed since.
        batch_seconds: how long hard sequences of one batch may take together; see the constraint guard.
    """

    kind: ClassVar[str] = "logic.sequence"
    title: ClassVar[str] = "Sequence guard"
    family: ClassVar[Family] = "logic"
    icon: ClassVar[str] = "ph.list-numbers"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = (
        "Rules on the order of events: the likeliest sequence that breaks none takes its place"
    )
    citation: ClassVar[str] = "Viterbi 1967, Error bounds for convolutional codes"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("real",), "Scores of events, one row a step, one column an event type"),
        Port("facts", ("facts",), "The columns that rules speak of", required=False),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("real",), "The scores; the greatest of each step is the event after repair"),
        Port("events", ("facts",), "One column a step: the event after repair, a gap past the end"),
        Port("broken", ("facts",), "One column a rule: 1 where the raw sequence broke it"),
        Port("left", ("facts",), "One column a rule: 1 where the repaired sequence breaks it still"),
        Port("status", ("facts",), "The status of the answer, and how many steps were changed"),
    )

    events: str = text("", "Names of the event types in the order of the columns, with commas")
    rules: str = rules("", "Rules over events and facts: rule NAME: response(order, invoice)")
    length: str = text("", "The column of facts that says how many steps a sequence has")
    stamps: str = text("", "What columns of facts with the time of each step begin with: time for time1 ...")
    unit: str = choice(
        "s",
        {unit: unit for unit in UNITS},
        "What the stamps are counted in",
        when=lambda node: bool(node.stamps),
    )
    places: str = text(
        "",
        "The same for degrees north and east, with a comma: lat, lon for lat1, lon1 ...",
        when=lambda node: bool(node.stamps),
    )
    packs: str = packs("", "Domain packs whose rules over events count too: their keys, separated by commas")
    carried: tuple[tuple[str, str], ...] = hidden(())
    batch_seconds: float = batch_seconds()

    def rule_set(self, *inputs: Spec | None) -> RuleSet:
        """Return the rules bound to what arrives at the node.

        Raises:
            RuleError: a rule cannot be read or names something that is not there.
            SolverError: the parser is not installed.
        """
        return self.guard(*inputs).rules

    def guard(self, *inputs: Spec | None) -> SequenceGuard:
        """Return what repairs sequences; raises as `rule_set` does."""
        scores, facts = wired(inputs[:1])[0], inputs[1]
        return self._guard(scores, facts)

    def specs(self, *inputs: Spec | None) -> Specs:
        (scores,) = wired(inputs[:1])
        self._check(scores, inputs[1])
        try:
            rule_set = self.rule_set(*inputs)
        except (RuleError, SolverError) as error:
            head = f"{error.where}: {error.what}" if error.where else error.what
            raise ShapeError(head, do=error.do, parameter="rules") from None
        flags = Spec("facts", (len(rule_set.rules),), columns=tuple(map(Column, rule_set.names)))
        names = self._names(scores)
        steps = tuple(Column(f"step {t}", names) for t in range(1, scores.shape[0] + 1))
        told = (Column("status", STATUS), Column("changed"))
        return (
            scores,
            Spec("facts", (len(steps),), columns=steps),
            flags,
            flags,
            Spec("facts", (len(told),), columns=told),
        )

    def warnings(self, *inputs: Spec | None) -> tuple[str, ...]:
        scores, facts = wired(inputs[:1])[0], inputs[1]
        clash = _clash(self._guard(scores, facts), scores.shape[1], 0 if self.length else scores.shape[0])
        return (*self.rule_set(*inputs).notes, *self._unknown(*inputs), *((clash,) if clash else ()))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        guard = self.guard(*inputs)

        def predict(scores: F32, facts: F64 | None) -> tuple[Array, ...]:
            asked = self._asked(guard, scores, facts)
            labels, taken = asked[0], asked[2]
            with allowed(guard, self.batch_seconds):
                found = guard(*asked)
            done = found.repaired
            inside = np.arange(labels.shape[1]) < taken[:, None]
            changed = (done.labels != labels) & inside
            told = np.stack([done.status, changed.sum(1)], axis=1).astype(np.float64)
            events = np.where(inside, done.labels, np.nan)
            kept = (found.broken.astype(np.float64), found.left.astype(np.float64))
            return _exchanged(scores, labels, done.labels, changed), events, *kept, told

        return predict

    def texts(self) -> Mapping[str, str]:
        carried = dict(self.carried)
        return {key: pack_of(key, carried).written for key in pack_keys(self.packs)}

    def showing(self, *inputs: Spec | None) -> Showing:
        guard, carried = self.guard(*inputs), dict(self.carried)
        theirs = titles_of(guard.rules.names[len(parse(self.rules)) :], pack_keys(self.packs), carried)
        scores = wired(inputs[:1])[0]
        scored, named = len(self._names(scores)), self._clock_names() if guard.asks_times else ()
        columns = tuple(column.name for column in guard.rules.columns)
        clock = [i for name in named for i in _numbered_columns(name, columns, scores.shape[0])]
        return SequenceShowing(guard, partial(self._asked, guard), guard.events[:scored], theirs, clock)

    def rows(self) -> tuple[tuple[str, str], ...]:
        taken = pack_keys(self.packs)
        other = ("Packs", ", ".join(taken)) if taken else ("Engine", "Automata, Viterbi")
        return (("Rules", _count(self.rules)), other)

    def _guard(self, scores: Spec, facts: Spec | None) -> SequenceGuard:
        columns = facts.columns if facts else ()
        return _guard(self.rules, self._names(scores), columns, pack_keys(self.packs), self.carried)

    def _asked(self, guard: SequenceGuard, scores: Array, facts: Array | None) -> Asked:
        """Return what is asked of the guard: labels, costs, lengths, facts and times."""
        n, steps = scores.shape[:2]
        given = np.zeros((n, 0), np.float64) if facts is None else facts
        counted = next((i for i, c in enumerate(guard.rules.columns) if c.name == self.length), None)
        taken = _lengths(None if counted is None else given[:, counted], n, steps)
        labels, costs = costs_of(scores)
        return labels, _padded(costs, len(guard.events)), taken, given, self._times(guard, given, steps)

    def _times(self, guard: SequenceGuard, facts: F64, steps: int) -> Times | None:
        """Return when and where the steps of records are, None where the node is not told."""
        if not self.stamps:
            return None
        columns = tuple(column.name for column in guard.rules.columns)
        read = (facts[:, _numbered_columns(name, columns, steps)] for name in self._clock_names())
        stamps, *places = read
        return Times(stamps * (UNITS[self.unit] / 1e6), np.stack(places, axis=2) if places else None)

    def _clock_names(self) -> tuple[str, ...]:
        return (self.stamps, *self._place_names()) if self.stamps else ()

    def _place_names(self) -> tuple[str, ...]:
        return tuple(map(str.strip, self.places.split(","))) if self.places.strip() else ()

    def _unknown(self, *inputs: Spec | None) -> tuple[str, ...]:
        """Return what rules ask for and the node is not told."""
        guard = self.guard(*inputs)
        found = []
        if guard.asks_times and not self.stamps:
            found.append(
                "Stamps names no columns: rules in time are broken only where no times could keep them."
            )
        elif guard.asks_places and not self.places.strip():
            found.append("Places names no columns: no rule of speed is broken.")
        return tuple(found)

    def _names(self, scores: Spec) -> tuple[str, ...]:
        width = scores.shape[-1] if scores.shape else 0
        return tuple(map(str.strip, self.events.split(","))) if self.events.strip() else _numbered(width)

    def _check(self, scores: Spec, facts: Spec | None) -> None:
        if len(scores.shape) != 2 or not scores.elements:
            words = f"Scores of a sequence are steps × events; got {scores.words()}."
            raise ShapeError(words, port="scores")
        names = self._names(scores)
        if len(names) != scores.shape[1] or len(set(names)) < len(names) or not all(names):
            words = f"There are {scores.shape[1]} event types; {len(set(names))} different names are given."
            raise ShapeError(words, do="Name each once, with commas between.", parameter="events")
        self._check_times(scores.shape[0], facts)
        columns = {column.name: column for column in facts.columns} if facts else {}
        if self.length and (self.length not in columns or columns[self.length].categories):
            words = f"There is no column of numbers {self.length!r} among the facts."
            raise ShapeError(words, do="Wire facts that have it, or leave it out.", parameter="length")

    def _check_times(self, steps: int, facts: Spec | None) -> None:
        numbers = tuple(c.name for c in facts.columns if not c.categories) if facts else ()
        if len(self._place_names()) not in (0, 2):
            words = "Places are two rows of columns: degrees north and degrees east."
            raise ShapeError(words, do="Write what they begin with: lat, lon.", parameter="places")
        rows = [("stamps", self.stamps)] if self.stamps else []
        for parameter, name in [*rows, *(("places", name) for name in self._place_names())]:
            missing = [t for t, at in enumerate(_numbered_columns(name, numbers, steps), 1) if at < 0]
            if missing:
                words = f"There is no column of numbers {f'{name}{missing[0]}'!r} among the facts."
                do = f"Wire facts that have one a step, {name}1 to {name}{steps}, or leave it out."
                raise ShapeError(words, do=do, parameter=parameter)


def _numbered_columns(name: str, columns: tuple[str, ...], steps: int) -> list[int]:
    """Return where the columns of a name and the number of each step stand, -1 for one that is not there."""
    places = {column: i for i, column in enumerate(columns)}
    found = []
    for t in range(1, steps + 1):
        written = (f"{name}{t}", f"{name} {t}", f"{name}_{t}")
        found.append(next((places[each] for each in written if each in places), -1))
    return found


def costs_of(scores: F32 | F64) -> tuple[I32, I64]:
    """Return the likeliest event of each step, int32 (n, steps), and what each event costs beside it.

    Args:
        scores: (n, steps, events), logits or log-probabilities; -inf and NaN rule an event out.

    Returns:
        Labels, the first of equals, and int64 costs (n, steps, events) in 1 / SCALE nats, IMPOSSIBLE where
        an event is ruled out.
    """
    known = np.where(np.isnan(scores), -np.inf, scores).astype(np.float64)
    ruled_out = np.isneginf(known)
    known = np.clip(known, -1e30, 1e30)
    best = known.max(2, keepdims=True)
    costs = np.rint(np.minimum((best - known) * SCALE, MOST_COST)).astype(np.int64)
    costs[ruled_out] = IMPOSSIBLE
    # The likeliest event stands even where it lies within a rounding of another.
    return known.argmax(2).astype(np.int32), costs


def _padded(costs: I64, events: int) -> I64:
    """Return costs, (n, steps, events), with events that cannot be after those that the scores have."""
    more = events - costs.shape[2]
    return np.pad(costs, ((0, 0), (0, 0), (0, more)), constant_values=IMPOSSIBLE) if more else costs


def _exchanged(scores: F32, raw: I32, labels: I32, changed: Bools) -> F32:
    out = scores.copy()
    row, step = np.nonzero(changed)
    old, new = raw[row, step], labels[row, step]
    out[row, step, old] = scores[row, step, new]
    out[row, step, new] = np.nextafter(scores[row, step, old], np.float32(np.inf))
    return out


def _lengths(lengths: F64 | None, n: int, steps: int) -> I64:
    if lengths is None:
        return np.full(n, steps, np.int64)
    told = np.where(np.isnan(lengths), steps, lengths)
    return np.clip(np.rint(told), 0, steps).astype(np.int64)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"e{i}" for i in range(1, count + 1))


@lru_cache(maxsize=64)
def _count(text: str) -> str:
    try:
        return str(len(parse(text)))
    except (RuleError, SolverError):
        return "cannot be read"


@lru_cache(maxsize=64)
def _clash(guard: SequenceGuard, events: int, steps: int) -> str:
    """Return a sentence where no sequence of the first `events`, of `steps` if not 0, keeps hard rules."""
    engine = guard.engine_for(np.full(len(guard.rules.tests), -1, np.int8))
    hard = [i for i, weight in enumerate(engine.weights) if weight is None]
    possible = np.tile(np.arange(len(guard.events)) < events, (steps, 1)) if steps else None
    core = core_of([engine.automata[i] for i in hard], possible, _MOST_STATES)
    names = tuple(engine.rules[hard[i]].name for i in core)
    return f"No sequence{f' of {steps} events' * bool(steps)} keeps {listed(names)}." if names else ""


@lru_cache(maxsize=64)
def _guard(
    text: str,
    events: tuple[str, ...],
    columns: tuple[Column, ...],
    packs: tuple[str, ...],
    carried: tuple[tuple[str, str], ...],
) -> SequenceGuard:
    return SequenceGuard(matched_events(text, events, columns, packs, carried=dict(carried)))
