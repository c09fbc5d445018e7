"""Trying a rule set on records drawn at random: repaired answers are judged by the rules once more.

Facts are uniform over their domains, some left out; scores of what is decided are random. Whether an answer
breaks a rule is worked out by truth.py, which knows nothing of the normal form or of any engine.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from ..allowance import allowed, together
from ..errors import RuleError
from ..ports import F64, I32, I64
from .formula import Formula, Happens, parts_of, with_parts
from .lowering import SCALE, lowered, soft_costs
from .pack import Pack, Sample, Value
from .pipeline import FEASIBLE, UNKNOWN, Engine
from .ruleset import Rule, RuleSet
from .truth import Bools
from .vocabulary import Variable, Vocabulary

if TYPE_CHECKING:
    from .sequences.clock import Times

GAPS = 0.05  # of the facts that are drawn
SPREAD = 2.0  # standard deviation of the scores, in nats
STEPS = 12  # of the longest sequence that is drawn
HARD = 60.0  # seconds for all hard records
_FIRST, _CHUNK = 20, 20_000  # records at a time: of the first, and at most


@dataclass(frozen=True)
class Trial:
    """What became of records drawn at random; only rules that must hold are counted.

    Attributes:
        records: how many were tried.
        changed: of how many the answer was changed.
        none: of how many the facts allow no answer, or none was found in time; they are told apart and not
            judged after repair.
        breaking_before: how many records broke a rule as they were drawn.
        breaking_after: how many broke one after repair.
        broken_before: how many rules they broke as they were drawn, added up.
        broken_after: the same after repair.
        seconds: how long drawing, repair and judging took.
        rules: how many records broke a rule after repair, by its name, where any did.
        unproven: of how many answers it is not known that none is cheaper.
    """

    records: int = 0
    changed: int = 0
    none: int = 0
    breaking_before: int = 0
    breaking_after: int = 0
    broken_before: int = 0
    broken_after: int = 0
    seconds: float = 0.0
    rules: Mapping[str, int] = field(default_factory=dict)
    unproven: int = 0

    def __add__(self, other: Trial) -> Trial:
        rules = Counter(self.rules) + Counter(other.rules)
        names = [f.name for f in fields(self) if f.name != "rules"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Trial(**sums, rules=dict(rules))


def tried(rules: RuleSet, records: int, seed: int = 0, seconds: float = inf) -> Trial:
    """Return what becomes of `records` records drawn for `rules`, the same for the same seed.

    Args:
        rules: the rules.
        records: how many, at most.
        seed: of the records.
        seconds: after which no more are drawn; hard records together take no more, and at most HARD.

    Raises:
        RuleError: a fact has no least or most value to draw between.
        SolverError: a record needs the solver process, and it is not there.
    """
    began = time.perf_counter()
    found = Trial()
    plain, _ = parted(rules)
    repair = _Plain(plain) if plain.rules else None
    orders = orders_of(rules)
    with together():
        for start, n in _chunks(records):
            if time.perf_counter() - began > seconds:
                break
            rng = np.random.default_rng((seed, start))
            with allowed(rules, min(seconds, HARD)):
                if repair:
                    found += repair(rng, n)
                for i, order in enumerate(orders):
                    found += replace(_try_order(order, rng, n), records=0 if repair or i else n)
    return replace(found, seconds=time.perf_counter() - began)


def _chunks(records: int) -> Iterator[tuple[int, int]]:
    """Yield where chunks begin and how many records they have: few at first, for they may be hard."""
    start, most = 0, _FIRST
    while start < records:
        n = min(most, records - start)
        yield start, n
        start, most = start + n, min(most * 4, _CHUNK)


def facts_of(vocabulary: Vocabulary, samples: Sequence[Sample]) -> F64:
    """Return the facts of samples as records bring them, float64 (n, facts), NaN where one is left out."""
    out = np.full((len(samples), len(vocabulary.given)), np.nan)
    for row, sample in zip(out, samples, strict=True):
        for i, variable in enumerate(vocabulary.given):
            if variable.name in sample.facts:
                row[i] = _fact(variable, sample.facts[variable.name])
    return out


def values_of(vocabulary: Vocabulary, samples: Sequence[Sample]) -> I64:
    """Return the answers of samples, int64 (n, decided), values by number, -1 where one is left out."""
    out = np.full((len(samples), len(vocabulary.decided)), -1, np.int64)
    for row, sample in zip(out, samples, strict=True):
        for i, variable in enumerate(vocabulary.decided):
            if variable.name in sample.answer:
                row[i] = _number(variable, sample.answer[variable.name])
    return out


def judged(pack: Pack) -> list[tuple[str, ...]]:
    """Return the rules that each sample of a pack breaks, in the order of the rules."""
    rules = RuleSet.over(pack.text, pack.vocabulary)
    plain, ordered = parted(rules)
    facts, values = facts_of(pack.vocabulary, pack.samples), values_of(pack.vocabulary, pack.samples)
    broken = {name: plain.broken(facts, values)[:, i] for i, name in enumerate(plain.names)}
    for number, those in ordered.items():
        found = Order(those, pack.vocabulary.sequences[number]).broken(pack.samples)
        broken |= {rule.name: found[:, i] for i, rule in enumerate(those)}
    return [tuple(r.name for r in rules.rules if broken[r.name][n]) for n in range(len(pack.samples))]


# Plain rules


class _Plain:
    """Draws, repairs and judges records of rules that do not speak of sequences."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules, self._compiled = rules, lowered(rules)
        self._engine = Engine(self._compiled.form)
        self._hard = np.array([rule.weight is None for rule in rules.rules])

    def __call__(self, rng: np.random.Generator, n: int) -> Trial:
        facts = drawn(self._rules.vocabulary, n, rng)
        scores = rng.normal(0, SPREAD, (n, self._compiled.scores))
        predicted, costs = self._compiled.asked(facts, scores)
        decided = self._engine(predicted, costs)
        raw, answers = self._compiled.answers(predicted), self._compiled.answers(decided.values)
        before, after = self._rules.broken(facts, raw), self._rules.broken(facts, answers)
        dead = decided.status >= UNKNOWN
        after &= self._hard & ~dead[:, None]
        found = _counted(self._rules.names, before & self._hard, after, dead, (raw != answers).any(1))
        return replace(found, unproven=int((decided.status == FEASIBLE).sum()))


def drawn(vocabulary: Vocabulary, n: int, rng: np.random.Generator, gaps: float = GAPS) -> F64:
    """Return facts drawn uniformly over their domains, float64 (n, facts); a share `gaps` is left out."""
    facts = np.empty((n, len(vocabulary.given)))
    for i, variable in enumerate(vocabulary.given):
        facts[:, i] = _drawn(variable, n, rng)
    facts[rng.random(facts.shape) < gaps] = np.nan
    return facts


def _drawn(variable: Variable, n: int, rng: np.random.Generator) -> F64:
    names = variable.column.categories
    if names:
        return rng.integers(0, len(names), n).astype(np.float64)
    if variable.least is None or variable.most is None:
        words = f"{variable.name} has no least and most value to draw between."
        raise RuleError(words, do="State both.")
    if variable.kind == "integer":
        return rng.integers(int(variable.least), int(variable.most) + 1, n).astype(np.float64)
    found = rng.uniform(variable.least, variable.most, n)
    # Half of them are rounded: limits of rules are mostly round, and a number at its limit is worth trying.
    steps = (variable.most - variable.least) / 100
    rounded = variable.least + np.rint((found - variable.least) / steps) * steps if steps else found
    return np.where(rng.random(n) < 0.5, rounded, found)


# Sequences


class Order:
    """The rules about one sequence, in the terms of sequences/."""

    def __init__(self, rules: Sequence[Rule], variable: Variable) -> None:
        # The automata's room needs compiled kernels; trying plain rules does not.
        from .sequences.engine import SequenceEngine
        from .sequences.rule import SequenceRule

        costs = soft_costs(rules)
        self.name, self.events = variable.name, variable.values
        made = [
            SequenceRule(rule.name, _body(rule.bound, variable.values), costs.get(i))
            for i, rule in enumerate(rules)
        ]
        self.engine = SequenceEngine(made, variable.values)
        self.hard = np.array([rule.weight is None for rule in rules])
        self.names = tuple(rule.name for rule in rules)

    def broken(self, samples: Sequence[Sample]) -> Bools:
        """Return which rules the sequence of each sample breaks, bool (n, rules).

        Without stamps it breaks of rules in time what no stamps would keep; left out, it breaks none.
        """
        found = [sample.answer.get(self.name, sample.facts.get(self.name)) for sample in samples]
        lists = [events if isinstance(events, tuple) else () for events in found]
        labels = np.zeros((len(samples), max(map(len, lists), default=0) or 1), np.int32)
        for row, events in zip(labels, lists, strict=True):
            row[: len(events)] = [self.events.index(event) for event in events]
        lengths = np.array([len(events) for events in lists], np.int64)
        out = self.engine.broken(labels, lengths, self._times(samples, labels.shape[1]))
        out[[not isinstance(events, tuple) for events in found]] = False
        return out

    def _times(self, samples: Sequence[Sample], steps: int) -> Times | None:
        """Return the stamps and places of samples; None where none has any."""
        from .sequences.clock import Times

        if not any(self.name in sample.stamps for sample in samples):
            return None
        seconds, places = np.full((len(samples), steps), np.nan), np.full((len(samples), steps, 2), np.nan)
        for i, sample in enumerate(samples):
            stamps, where = sample.stamps.get(self.name, ()), sample.places.get(self.name, ())
            seconds[i, : len(stamps)] = stamps
            places[i, : len(where)] = np.reshape(where, (-1, 2))
        return Times(seconds, places)


def orders_of(rules: RuleSet) -> list[Order]:
    """Return the rules about each sequence of the vocabulary that some rule speaks of."""
    _, ordered = parted(rules)
    return [Order(those, rules.vocabulary.sequences[number]) for number, those in ordered.items()]


def _try_order(order: Order, rng: np.random.Generator, n: int) -> Trial:
    lengths = rng.integers(1, STEPS + 1, n)
    scores = rng.normal(0, SPREAD, (n, STEPS, len(order.events)))
    labels = scores.argmax(2).astype(np.int32)
    costs = np.rint((scores.max(2, keepdims=True) - scores) * SCALE).astype(np.int64)
    times = _drawn_times(order, rng, n)
    done = order.engine(labels, costs, lengths, times)
    judge = partial(_broken_orders, order, lengths, times)
    before, after = judge(labels), judge(done.labels)
    dead = done.status >= UNKNOWN
    after &= order.hard & ~dead[:, None]
    return _counted(order.names, before & order.hard, after, dead, (labels != done.labels).any(1))


def _drawn_times(order: Order, rng: np.random.Generator, n: int) -> Times | None:
    """Return stamps drawn about the lengths of time in the rules, and places; None where none asks."""
    from .sequences.clock import Times

    if not order.engine.timed.numbers:
        return None
    lengths = np.array([*order.engine.timed.lengths, 3_600_000_000], np.float64) / 1e6
    gaps = rng.choice(lengths, (n, STEPS)) * rng.choice([0, 0.25, 0.5, 1, 2], (n, STEPS))
    seconds = np.cumsum(gaps, 1)
    seconds[rng.random(seconds.shape) < GAPS] = np.nan
    places = np.stack([rng.uniform(-60, 60, (n, STEPS)), rng.uniform(-180, 180, (n, STEPS))], axis=2)
    return Times(seconds, np.where(rng.random((n, STEPS, 1)) < 0.5, places[:, :1], places))


def _broken_orders(order: Order, lengths: I64, times: Times | None, labels: I32) -> Bools:
    """Return which rules each sequence breaks, by each rule's own automaton or clock, step by step."""
    out = np.empty((len(labels), len(order.names)), np.bool_)
    for i, automaton in enumerate(order.engine.automata):
        state, ended = np.zeros(len(labels), np.int64), np.zeros(len(labels), np.int64)
        for step in range(labels.shape[1]):
            state = automaton.moves[state, labels[:, step]].astype(np.int64)
            ended = np.where(lengths == step + 1, state, ended)
        out[:, i] = ~automaton.accepts[ended]
    if times is not None:
        out[:, list(order.engine.timed.numbers)] = False
        for record, rules in order.engine.timed.broken(labels, lengths, times).items():
            out[record, rules] = True
    return out


def _body(formula: Formula, events: tuple[str, ...]) -> object:
    from .sequences.rule import Call

    if isinstance(formula, Happens):
        places = tuple(
            p if not isinstance(p, frozenset) else tuple(events[e] for e in sorted(p)) for p in formula.places
        )
        return Call(formula.template, places, formula.numbers)
    return with_parts(formula, tuple(_body(part, events) for part in parts_of(formula)))  # type: ignore[misc]


# Inside


def parted(rules: RuleSet) -> tuple[RuleSet, dict[int, list[Rule]]]:
    """Return the rules without sequences, and those of each sequence by its number."""
    plain: list[Rule] = []
    ordered: dict[int, list[Rule]] = {}
    for rule in rules.rules:
        numbers = _sequences(rule.bound)
        if not numbers:
            plain.append(rule)
            continue
        if len(numbers) > 1:
            raise RuleError(f"{rule.name} speaks of several sequences.", do="Split it.")
        ordered.setdefault(numbers.pop(), []).append(rule)
    return replace(rules, rules=tuple(plain)), ordered


def _sequences(formula: Formula) -> set[int]:
    found, look = set(), [formula]
    while look:
        here = look.pop()
        if isinstance(here, Happens):
            found.add(here.sequence)
        look.extend(parts_of(here))
    return found


def _counted(names: tuple[str, ...], before: Bools, after: Bools, dead: Bools, changed: Bools) -> Trial:
    return Trial(
        records=len(dead),
        changed=int(changed.sum()),
        none=int(dead.sum()),
        breaking_before=int(before.any(1).sum()),
        breaking_after=int(after.any(1).sum()),
        broken_before=int(before.sum()),
        broken_after=int(after.sum()),
        rules={name: int(count) for name, count in zip(names, after.sum(0), strict=True) if count},
    )


def _fact(variable: Variable, value: Value) -> float:
    if variable.kind == "flag":
        return float(bool(value))
    if variable.kind == "category":
        return float(variable.values.index(str(value)))
    return float(value)  # type: ignore[arg-type]


def _number(variable: Variable, value: Value) -> int:
    text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
    number = variable.index_of(text)
    if number is None:
        raise ValueError(f"{variable.name} has no value {text}")
    return number
