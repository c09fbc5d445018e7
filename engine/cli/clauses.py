"""The verb rules write: any rule set as clauses (DIMACS), for other solvers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import PolybitError
from ..files.atomic import check_writable, keep_apart, write_text
from ..logic.dimacs import SUFFIXES, dimacs_text, read_dimacs
from ..logic.lowering import lowered
from ..logic.normal import NormalForm
from .packs import bound
from .printing import note, plural, say, say_json
from .rule_texts import document_for

_CNF, _WCNF = SUFFIXES


def write_clauses(options: argparse.Namespace) -> int:
    """Write rules as clauses."""
    out, source = Path(options.out), Path(options.file)
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise PolybitError(f"Clauses are written as {' or '.join(SUFFIXES)}; got {out.name!r}.")
    check_writable(out)
    keep_apart(out, options.file, *([options.data] if options.data else []))
    form = _form(options, source)
    if suffix == _CNF and form.costs.any():
        do = f"Write them as {_WCNF}."
        raise PolybitError("Rules with weights cannot be clauses without any.", do=do)
    write_text(out, dimacs_text(form, weighted=suffix == _WCNF))
    counts = {"variables": len(form.variables), "facts": form.given, "constraints": len(form.constraints)}
    if options.json:
        say_json({**counts, "rules_from": source.name, "out": str(out)})
        return 0
    say(f"{plural(counts['constraints'], 'constraint')} over {plural(counts['variables'], 'variable')}.")
    if form.given:
        say(f"The first {plural(form.given, 'variable')} are facts: what may hold, and what may fail.")
    return 0


def _form(options: argparse.Namespace, source: Path) -> NormalForm:
    if source.suffix.lower() in SUFFIXES:
        return read_dimacs(source)
    document = document_for(options)
    rules = bound(options.file, document)
    for words in (*document.notes, *rules.notes):
        note(words)
    return lowered(rules, fold=False).form


def add_write(under: Any, make: Any, add_files: Any) -> None:
    """Add the verb `rules write`; `make` adds one with --json, `add_files` the arguments for rules."""
    one = make(under, "write", write_clauses, "rules as clauses, for other solvers", json=True)
    add_files(one)
    one.add_argument("--out", required=True, help=f"where to, by suffix: {' '.join(SUFFIXES)}")
