"""The verb rules sequences: logs of events repaired by rules on their order."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ..allowance import allowed, together
from ..errors import PolybitError, RuleError
from ..files.atomic import check_writable, keep_apart
from ..files.event_log import KINDS, PLACE, TIME, EventLog, event_types, read_log
from ..files.tables import write_table
from ..logic.durations import UNITS
from ..logic.event_matching import left_out, parted_by, vocabulary_of
from ..logic.files import text_of
from ..logic.pipeline import STATUS, UNKNOWN
from ..logic.readers import Document
from ..logic.sequence import costs_of
from ..logic.sequence_guard import SequenceGuard
from ..logic.sequences.clock import Clock
from ..logic.sequences.engine import TOOLS
from ..logic.sequences.explain import broken_orders
from ..logic.wording import listed
from ..ports import I32
from .numbers import seconds
from .packs import bound, document_of
from .printing import note, plural, say, say_json

_AT_ONCE = 1 << 22  # scores in memory
_MOST_TEXT = 1 << 20
TEXTS = (".rules", ".txt")
_COLUMNS = ("case", "step", "event", "repaired", "changed", "status", "broken", "why")


def repair_log(options: argparse.Namespace) -> int:
    """Repair a log of events by rules on their order, and write it; 1 where a case has no allowed answer."""
    out, events = Path(options.out), Path(options.events)
    if out.suffix != ".csv":
        raise PolybitError(f"Repaired logs are written as .csv; got {out.name!r}.")
    check_writable(out)
    keep_apart(out, options.file, events)
    guard = _guard(options.file, events)
    for words in guard.rules.notes:
        note(words)
    given = guard.rules.vocabulary.given
    log = read_log(events, guard.events, given, options.kind, options.time_unit)
    for words in _unknown(guard, log):
        note(words)
    began = time.perf_counter()
    with together(), allowed(guard, options.seconds):
        found = _Found(guard, log)
    took = time.perf_counter() - began
    write_table(out, _COLUMNS, found.rows)
    told = {
        "cases": len(log.cases),
        "events": len(log.rows),
        "status": {name: int((found.status == i).sum()) for i, name in enumerate(STATUS)},
        "engine": {name: int((found.tool == i).sum()) for i, name in enumerate(TOOLS)},
        "changed": found.changed,
        "broken": dict(zip(guard.rules.names, found.broken.sum(0).tolist(), strict=True)),
        "left": dict(zip(guard.rules.names, found.left.sum(0).tolist(), strict=True)),
        "seconds": took,
        "out": str(out),
    }
    if options.json:
        say_json(told)
    else:
        for line in _sentences(told):
            say(line)
    return 1 if (found.status >= UNKNOWN).any() else 0


class _Found:
    """What became of every case of a log."""

    def __init__(self, guard: SequenceGuard, log: EventLog) -> None:
        n, count = len(log.cases), len(guard.rules.rules)
        self.status, self.tool = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
        self.broken, self.left = np.zeros((n, count), np.bool_), np.zeros((n, count), np.bool_)
        self.changed = 0
        events = np.array(guard.events)
        lines: list[list[list[str]]] = [[] for _ in range(n)]
        for cases, scores in log.batches(_AT_ONCE):
            labels, costs = costs_of(scores)
            lengths = log.lengths[cases]
            times = log.times(cases)
            told = guard(labels, costs, lengths, log.facts[cases], times)
            done = told.repaired
            self.status[cases], self.tool[cases] = done.status, done.tool
            self.broken[cases], self.left[cases] = told.broken, told.left
            for i, case in enumerate(cases.tolist()):
                raw, new = labels[i, : lengths[i]], done.labels[i, : lengths[i]]
                self.changed += int((raw != new).sum())
                names = "; ".join(np.array(guard.rules.names)[told.broken[i]].tolist())
                why = (
                    _whys(guard, log, case, raw, None if times is None else times.clock(i, len(raw)))
                    if names
                    else {}
                )
                lines[case] = [
                    [
                        log.cases[case],
                        str(t + 1),
                        events[a],
                        events[b],
                        str(int(a != b)),
                        STATUS[done.status[i]],
                        names,
                        why.get(t, ""),
                    ]
                    for t, (a, b) in enumerate(zip(raw, new, strict=True))
                ]
        self.rows = [line for case in lines for line in case]


def _whys(guard: SequenceGuard, log: EventLog, case: int, raw: I32, clock: Clock | None) -> dict[int, str]:
    """Return what a case breaks and why, by the step at which it does; the last where it ends too soon."""
    engine = guard.engine_for(guard.rules.outcomes(log.facts[case : case + 1])[0])
    found: dict[int, str] = {}
    for rule in broken_orders(engine, raw, clock):
        step = len(raw) - 1 if rule.place is None else rule.place
        found[step] = "; ".join(filter(None, (found.get(step), f"{rule.name}: {rule.told}")))
    return found


def _unknown(guard: SequenceGuard, log: EventLog) -> list[str]:
    """Return what rules ask for and the log does not say."""
    found = []
    if log.seconds is None and guard.asks_times:
        words = "rules in time are broken only where no times could keep them"
        found.append(f"The log has no column {TIME[0]!r}: {words}.")
    if log.places is None and guard.asks_places:
        found.append(f"The log has no columns {listed(PLACE[0])}: no rule of speed is broken.")
    return found


def _guard(name: str, log: Path) -> SequenceGuard:
    """Return the guard of a file, of shipped packs, or of a text of rules about the events of the log."""
    if Path(name).suffix.lower() in TEXTS:
        document = Document(vocabulary_of(event_types(log), ()), rules_text(Path(name)))
    else:
        document = document_of(name)
    if len(document.vocabulary.sequences) != 1:
        words = f"The rules are about {plural(len(document.vocabulary.sequences), 'sequence')} of events."
        raise RuleError(words, where=name, do="Take rules about one.")
    rules = bound(name, document)
    taken, left = parted_by(rules)
    notes = (*document.notes, *rules.notes, *((left_out(Path(name).name, left),) if left else ()))
    try:
        return SequenceGuard(replace(rules, rules=taken, notes=notes))
    except RuleError as error:
        raise error.at(name) from None


def rules_text(path: Path) -> str:
    """Return the text of a file of rules.

    Raises:
        RuleError: it cannot be read, is too large or not UTF-8.
    """
    return text_of(path, _MOST_TEXT, split="Split it.", save="Save it as UTF-8.", encoding="utf-8-sig")


def _sentences(told: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{name}: {count:,}" for name, count in told["status"].items() if count)
    by = ", ".join(f"{name}: {count:,}" for name, count in told["engine"].items() if count)
    counted = f"{plural(told['cases'], 'case')}, {plural(told['events'], 'event')}"
    lines = [
        f"{counted}: {counts or 'none'}. Took {told['seconds']:.3g} s.",
        f"Decided by {by or 'nothing'}; {plural(told['changed'], 'event')} changed.",
    ]
    lines += [
        f"  {name} was broken by {plural(count, 'case')}." for name, count in told["broken"].items() if count
    ]
    lines += [
        f"  {name} is broken still by {plural(count, 'case')}."
        for name, count in told["left"].items()
        if count
    ]
    return lines


def add_sequences(under: Any, make: Any) -> None:
    """Add the verb `sequences` to those of rules; `make` adds one with --json."""
    one = make(under, "sequences", repair_log, "the most probable logs of events that keep rules", json=True)
    one.add_argument(
        "file",
        help="rules: a domain pack by its key or file (.toml), packs joined by +, or a text (.rules, .txt)",
    )
    one.add_argument(
        "--events", required=True, help="a log with columns case and event, or scores (.csv, .tsv)"
    )
    one.add_argument("--out", required=True, help="where to (.csv)")
    help = f"of stamps that are numbers: {', '.join(UNITS)}; without it they are ISO 8601"
    one.add_argument("--time-unit", choices=UNITS, default="", metavar="UNIT", help=help)
    one.add_argument("--kind", choices=KINDS, default=KINDS[0], help="what columns of scores hold")
    help = "time for hard cases, all together; the rest is repaired but not proven (default: no limit)"
    one.add_argument("--seconds", type=seconds, default=inf, help=help)
