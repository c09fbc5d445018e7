"""rules check and rules repair where rules are text: a pack, a decision table, a text beside its data."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, PolybitError
from ..files.answer_table import read_answers, vocabulary_of
from ..files.atomic import check_writable, keep_apart
from ..files.tables import write_table
from ..guard import Agreement
from ..logic.lowering import SCALE
from ..logic.pipeline import ALLOWED, STATUS, TOOLS, UNKNOWN
from ..logic.readers import Document
from ..logic.ruleset import RuleSet
from ..logic.several import Settled, Several
from ..logic.trials import parted
from .packs import bound, document_of
from .printing import note, plural, say, say_json
from .sequences import rules_text

TEXT = ".rules"
_HEAD = ("record", "status", "engine", "cost", "bound", "changed", "broken", "left")


def document_for(options: argparse.Namespace) -> Document:
    """Return the rules of a file or pack; those of a text speak of the columns of --data.

    Raises:
        PolybitError: a text of rules came without its table, or without what is decided.
        DataError, RuleError: a file is missing or malformed, or there is no such pack.
    """
    path = Path(options.file)
    if path.suffix.lower() != TEXT:
        return document_of(options.file)
    if options.data is None:
        words = "A text of rules is about the columns of a table."
        raise PolybitError(words, do="Give it with --data, and what is decided with --decides.")
    decides = [name.strip() for name in options.decides.split(",") if name.strip()]
    if not decides:
        raise PolybitError("Say with --decides which columns are decided: names with commas between.")
    return Document(vocabulary_of(Path(options.data), decides), rules_text(path))


def repair_table(options: argparse.Namespace) -> int:
    """Repair the answers of a table, and write them; 1 where a record has no allowed answer."""
    if options.data is None:
        raise PolybitError("Repair by a text of rules needs --data, a table of facts and answers.")
    out, path = Path(options.out), Path(options.file)
    if out.suffix != ".csv":
        raise PolybitError(f"Repaired tables are written as .csv; got {out.name!r}.")
    check_writable(out)
    keep_apart(out, options.file, options.data)
    rules = _rules(options)
    table = read_answers(Path(options.data), rules.vocabulary)
    for words in (*rules.notes, *table.notes):
        note(words)
    if not len(table.facts):
        raise DataError("The table has no records.", where=options.data)
    several = Several(rules)
    several(table.scores[:1], table.facts[:1])  # compiles what is not compiled yet
    began = time.perf_counter()
    done = several(table.scores, table.facts, options.seconds)
    took = time.perf_counter() - began
    agreed = several.agreement(table.scores, table.facts, done, options.sample)
    names = [v.name for v in rules.vocabulary.decided]
    write_table(out, (*_HEAD, *names), _rows(rules, done))
    told = _told(rules, done, agreed, took)
    if options.json:
        say_json({**told, "rules_from": path.name, "out": str(out)})
    else:
        for line in _sentences(told, rules, done, agreed):
            say(line)
    return 1 if (done.status >= UNKNOWN).any() else 0


def _rules(options: argparse.Namespace) -> RuleSet:
    document = document_for(options)
    for words in document.notes:
        note(words)
    rules, ordered = parted(bound(options.file, document))
    if ordered:
        count = sum(map(len, ordered.values()))
        note(f"{plural(count, 'rule')} over sequences of events left out; rules sequences repairs by those.")
    return rules


def _rows(rules: RuleSet, done: Settled) -> list[list[str]]:
    decided, names = rules.vocabulary.decided, np.array(rules.names)
    rows = []
    for i, (raw, values) in enumerate(zip(done.raw, done.values, strict=True)):
        changed = [decided[v].name for v in np.flatnonzero(raw != values)]
        costs = int(done.decided.costs[i]), int(done.decided.bounds[i])
        rows.append(
            [
                str(i),
                STATUS[done.status[i]],
                TOOLS[done.decided.tool[i]],
                *("" if cost < 0 else f"{cost / SCALE:g}" for cost in costs),
                "; ".join(changed),
                "; ".join(names[done.broken[i]].tolist()),
                "; ".join(names[done.left[i]].tolist()),
                *(decided[v].names[value] for v, value in enumerate(values)),
            ]
        )
    return rows


def _told(rules: RuleSet, done: Settled, agreed: Agreement, took: float) -> dict[str, Any]:
    return {
        "records": len(done.raw),
        "status": {name: int((done.status == i).sum()) for i, name in enumerate(STATUS)},
        "engine": {name: int((done.decided.tool == i).sum()) for i, name in enumerate(TOOLS)},
        "broken": dict(zip(rules.names, done.broken.sum(0).tolist(), strict=True)),
        "left": dict(zip(rules.names, done.left.sum(0).tolist(), strict=True)),
        "seconds": took,
        "rc2": agreed.figures(),
    }


def _sentences(told: dict[str, Any], rules: RuleSet, done: Settled, agreed: Agreement) -> list[str]:
    said = [f"{name}: {count:,}" for name, count in told["status"].items() if count]
    by = [f"{name}: {count:,}" for name, count in told["engine"].items() if count]
    lines = [
        f"{plural(told['records'], 'record')}: {', '.join(said)}. Took {told['seconds']:.3g} s.",
        f"Decided by {', '.join(by)}.",
        *([agreed.words()] if agreed.sampled else []),
    ]
    broken = [(count, name) for name, count in told["broken"].items() if count]
    if broken:
        most = sorted(broken, key=lambda pair: -pair[0])[:5]
        lines.append(f"Broken most: {', '.join(f'{name} ({count:,})' for count, name in most)}.")
    for record in np.flatnonzero(done.status != ALLOWED)[:1]:
        status, tool, why = done.words(int(record))
        lines.append(f"Record {record}: {status}, by {tool}: {why}.")
    return lines
