"""The verbs about domain packs and rules in words: rules packs, rules try, and rules check of such files."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from ..errors import RuleError
from ..logic.checking import Checked, check_rules
from ..logic.dimacs import SUFFIXES as DIMACS
from ..logic.packs import combined, origins_of, pack_of, packs
from ..logic.readers import READERS, Document, read_rules
from ..logic.ruleset import RuleSet
from ..logic.trials import Trial, tried
from .numbers import count, seconds
from .printing import plural, say, say_json, table

ALL = "all"
_HEADER: tuple[str, ...] = (
    "rules",
    "records",
    "break a rule as drawn",
    "after repair",
    "changed",
    "none allowed",
    "seconds",
)
_KEPT = {
    True: "All hard rules can be kept together.",
    False: "The hard rules cannot be kept together.",
    None: "Whether the rules can be kept together was not found out in time.",
}
_STRANDED = "All hard rules can be kept together, but not with all facts."

_MOST_RECORDS = 100_000_000
_MOST_SEED = 10**19 - 1


def list_packs(options: argparse.Namespace) -> int:
    """Print the domain packs that come with Polybit."""
    if options.json:
        say_json([_figures_of(key) for key in packs()])
        return 0
    rows: list[tuple[str, ...]] = [("pack", "domain", "rules", "compared", "variables", "title")]
    for key, pack in packs().items():
        counts = len(pack.statements), pack.compared, len(pack.vocabulary.variables)
        rows.append((key, pack.domain, *map(str, counts), pack.title))
    table(rows, left=(0, 1, 5))
    rules, compared = (
        sum(len(p.statements) for p in packs().values()),
        sum(p.compared for p in packs().values()),
    )
    say(f"{compared} of {plural(rules, 'rule')} were compared with the text of a source.")
    return 0


def _figures_of(key: str) -> dict[str, Any]:
    pack = pack_of(key)
    return {
        "pack": key,
        "title": pack.title,
        "domain": pack.domain,
        "jurisdiction": pack.jurisdiction,
        "licence": pack.licence,
        "notice": pack.notice,
        "rules": len(pack.statements),
        "compared": pack.compared,
        "variables": len(pack.vocabulary.variables),
        "samples": len(pack.samples),
        "sources": [asdict(source) for source in pack.sources],
    }


_records, _seed = partial(count, low=1, high=_MOST_RECORDS), partial(count, high=_MOST_SEED)


def try_rules(options: argparse.Namespace) -> int:
    """Repair records drawn at random and judge the answers by the rules; 1 where an answer breaks one."""
    names = list(packs()) if ALL in options.rules else options.rules
    documents = {name: document_of(name) for name in names}
    told, total, rows = [], Trial(), [_HEADER]
    until = time.monotonic() + options.seconds
    for i, (name, document) in enumerate(documents.items()):
        share = options.records // len(documents) + (i < options.records % len(documents))
        left = max(until - time.monotonic(), 0.0)
        found = tried(bound(name, document), share, options.seed, left)
        total += found
        told.append({"name": name, **asdict(found)})
        rows.append(_row(name, found))
    if options.json:
        say_json({"seed": options.seed, "each": told, "total": asdict(total)})
    else:
        table([*rows, _row("together", total)] if len(documents) > 1 else rows)
        for name, times in total.rules.items():
            say(f"{name} is broken in {plural(times, 'answer')}.")
        if total.unproven:
            say(f"Of {plural(total.unproven, 'answer')} it is not proven that none is cheaper.")
        if total.records < options.records:
            say(f"The time was over after {total.records:,} of {options.records:,}; give more --seconds.")
    return 1 if total.broken_after else 0


def _row(name: str, found: Trial) -> tuple[str, ...]:
    counts = (found.records, found.breaking_before, found.breaking_after, found.changed, found.none)
    return (name, *(f"{count:,}" for count in counts), f"{found.seconds:.1f}")


def document_of(name: str) -> Document:
    """Return the rules of a file, of a pack that comes with Polybit, or of several joined by +.

    Raises:
        RuleError: there is no such file or pack, or it is malformed.
    """
    suffix = Path(name).suffix.lower()
    if suffix in READERS:
        return read_rules(name)
    if suffix in DIMACS:
        words = f"{Path(name).name} holds clauses; only rules in words are tried on random records."
        raise RuleError(words, do="Check it with `rules check`, or give scores to `rules repair`.")
    if suffix and "+" not in suffix:
        known = ", ".join((*DIMACS, *READERS))
        raise RuleError(f"Rules are read from {known} here; got {Path(name).name!r}.")
    parts = [pack_of(key) for key in name.split("+")]
    pack = combined(parts)
    return Document(pack.vocabulary, pack.text)


def origins_in(name: str) -> dict[str, str]:
    """Return the pack of each rule where several packs are joined by +."""
    return origins_of([pack_of(key) for key in name.split("+")]) if "+" in name else {}


def bound(name: str, document: Document) -> RuleSet:
    """Return the rules of a document bound to its variables, with the file named in errors."""
    try:
        return document.rules
    except RuleError as error:
        raise error.at(Path(name).name) from None


def check_document(options: argparse.Namespace, document: Document) -> int:
    """Print what there is to say of rules in words; 1 where they cannot be kept together."""
    rules = bound(options.file, document)
    origins = origins_in(options.file)
    found = check_rules(
        document.text, document.vocabulary, options.seconds, origins=origins, patience=options.seconds
    )
    if options.json:
        say_json({**found.as_json(), "notes": [*document.notes, *found.notes]})
    else:
        _say(rules, found, document)
    return 0 if found.satisfiable else 1


def _say(rules: RuleSet, found: Checked, document: Document) -> None:
    soft = sum(rule.weight is not None for rule in rules.rules)
    variables = plural(len(document.vocabulary.variables), "variable")
    say(f"{plural(len(rules.rules), 'rule')} ({soft} soft) over {variables}.")
    for note in (*document.notes, *found.notes):
        say(note)
    for finding in found.findings:
        place = f"line {finding.line}: " if finding.line else ""
        say(f"{place}{finding.severity}: {finding.what} {finding.do}".rstrip())
        if finding.facts:
            say(f"  Such a record: {', '.join(f'{k} = {v}' for k, v in finding.facts.items())}.")
    stranded = any(finding.kind == "no answer" for finding in found.findings)
    say(_STRANDED if stranded else _KEPT[found.satisfiable])
    needed = sum(rule.status == "needed" for rule in found.rules)
    say(f"Each of {plural(needed, 'rule')} is broken alone by some record.")


def add_packs(under: Any, make: Any) -> None:
    """Add the verbs `packs` and `try` to those of rules; `make` adds one with --json."""
    make(under, "packs", list_packs, "the domain packs that come with Polybit", json=True)
    one = make(under, "try", try_rules, "repair random records and judge the answers by the rules", json=True)
    one.add_argument(
        "rules", nargs="+", help=f"packs, {' '.join(READERS)} files, packs joined by +, or {ALL}"
    )
    one.add_argument(
        "--records",
        type=_records,
        default=100_000,
        help="how many in all (default 100000)",
    )
    one.add_argument(
        "--seconds",
        type=seconds,
        default=inf,
        help="time for all of it; what is not tried by then is left (default: no limit)",
    )
    one.add_argument("--seed", type=_seed, default=0, help="of the random records (default 0)")
