"""The verbs about rule sets alone: rules check, rules repair."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PolybitError, RuleError
from ..files.atomic import check_writable, keep_apart
from ..files.repairs import (
    Repairs,
    check_repairs_suffix,
    log_odds,
    read_scores,
    write_repairs,
)
from ..logic.dimacs import SUFFIXES, read_dimacs
from ..logic.examine import Examined, Reasons, examined, kept_variables
from ..logic.lowering import SCALE
from ..logic.normal import Bools, NormalForm
from ..logic.pipeline import ALLOWED, STATUS, TOOLS, Engine
from ..logic.readers import READERS
from ..logic.solver import shared_solver
from ..ports import I64
from .clauses import add_write
from .numbers import count, nats, seconds
from .packs import add_packs, check_document, document_of
from .printing import plural, say, say_json
from .rule_texts import TEXT, document_for, repair_table
from .sequences import add_sequences

KINDS = ("probabilities", "logits")
_SHOWN = 20  # rules or variables named in a line
_SAMPLE = 200  # records that RC2 solves once more
_MOST_COST, _MOST_TOGETHER = 1 << 50, 1 << 58


def check_rules(options: argparse.Namespace) -> int:
    """Print whether rules can be kept, what they fix, and which say nothing new; 1 where they conflict."""
    began = time.perf_counter()
    _refuse_others(options)
    if Path(options.file).suffix.lower() not in SUFFIXES:
        return check_document(options, document_for(options))
    form = read_dimacs(Path(options.file))
    left = options.seconds - (time.perf_counter() - began)
    found = examined(form, shared_solver(), max(left, 0.0))
    took = time.perf_counter() - began
    if options.json:
        say_json(_figures(form, found, took))
    else:
        for line in _sentences(form, found, took):
            say(line)
    return 0 if found.satisfiable else 1


def repair_scores(options: argparse.Namespace) -> int:
    """Repair the decisions that scores make, and write them; 1 where a record has no allowed answer."""
    _refuse_others(options)
    if Path(options.file).suffix.lower() not in SUFFIXES:
        return repair_table(options)
    out = Path(options.out)
    check_repairs_suffix(out)
    check_writable(out)
    keep_apart(out, options.file, *([options.scores] if options.scores else []))
    asked = _asked(read_dimacs(Path(options.file)), options)
    engine = Engine(asked.form)
    engine(asked.predicted[:1], asked.costs[:1])  # compiles what is not compiled yet
    began = time.perf_counter()
    decided = engine(asked.predicted, asked.costs, options.seconds)
    took = time.perf_counter() - began
    agreed = engine.agreement(asked.predicted, asked.costs, decided, options.sample)
    write_repairs(out, Repairs(asked.names, decided, asked.predicted))
    counts = {name: int((decided.status == i).sum()) for i, name in enumerate(STATUS)}
    tools = {name: int((decided.tool == i).sum()) for i, name in enumerate(TOOLS)}
    dead = counts["none"]
    if options.json:
        figures = {"records": len(decided.costs), "status": counts, "engine": tools, "seconds": took}
        say_json({**figures, "rc2": agreed.figures(), "out": str(out)})
        return 1 if dead else 0
    said = [f"{name}: {count:,}" for name, count in counts.items() if count]
    say(f"{plural(len(decided.costs), 'record')}: {', '.join(said) or 'none'}. Took {took:.3g} s.")
    by = [f"{name}: {count:,}" for name, count in tools.items() if count]
    say(f"Decided by {', '.join(by) or 'nothing'}.")
    if agreed.sampled:
        say(agreed.words())
    for record in np.flatnonzero(decided.status != ALLOWED)[:1]:
        status, tool, why = decided.words(int(record))
        say(f"Record {record}: {status}, by {tool}: {why}.")
    return 1 if dead else 0


def _refuse_others(options: argparse.Namespace) -> None:
    """Refuse options that mean nothing beside rules of this kind, rather than pass over them."""
    suffix, repairs = Path(options.file).suffix.lower(), hasattr(options, "scores")
    if suffix and "+" not in suffix and suffix not in (*SUFFIXES, TEXT, *READERS):
        document_of(options.file)  # says what is read
    unset: dict[str, Any] = {}
    if suffix != TEXT:
        unset["decides"] = ""
    if suffix in SUFFIXES or (suffix != TEXT and not repairs):
        unset["data"] = None
    if suffix not in SUFFIXES and repairs:
        unset |= {"scores": None, "facts": 0, "kind": KINDS[0], "soft_nats": 1.0}
    for name, value in unset.items():
        if getattr(options, name) != value:
            words = f"--{name.replace('_', '-')} means nothing here: {_FOR[name]}."
            raise PolybitError(words, do="Leave it out.")


_FOR = {
    "decides": f"it names what rules of a text ({TEXT}) decide",
    "data": "the rules bring their variables with them",
    **dict.fromkeys(("scores", "facts", "kind", "soft_nats"), f"it is about clauses ({', '.join(SUFFIXES)})"),
}


@dataclass(frozen=True)
class _Asked:
    """What a repair is of: rules, predicted values and costs, and the names of the scored variables."""

    form: NormalForm
    names: tuple[str, ...]
    predicted: Bools
    costs: I64


def _asked(form: NormalForm, options: argparse.Namespace) -> _Asked:
    soft = set(kept_variables(form).values())
    count = len(form.variables) - len(soft)  # a file's `kept` variables come last
    if not 0 <= options.facts <= count:
        raise PolybitError(f"--facts is 0 to {count}, the variables of the rules; got {options.facts}.")
    if options.scores is None:
        raise PolybitError("Repair by clauses needs --scores, a score a variable and record.")
    form = replace(form, given=options.facts)
    names = form.variables[:count]
    odds = log_odds(read_scores(Path(options.scores), names), options.kind, options.scores)
    predicted = np.broadcast_to(form.defaults, (len(odds), len(form.variables))).copy()
    predicted[:, :count] = odds > 0
    weight = float(form.costs.max(initial=0)) * options.soft_nats * SCALE
    if weight > _MOST_COST or weight * len(form.variables) > _MOST_TOGETHER:
        raise RuleError("The weights of the soft rules are too large.", do="Give a smaller --soft-nats.")
    costs = np.empty(predicted.shape, np.int64)
    costs[:] = np.rint(form.costs * (options.soft_nats * SCALE))
    costs[:, :count] = np.rint(np.abs(odds) * SCALE)
    return _Asked(form, names, predicted, costs)


def _figures(form: NormalForm, found: Examined, took: float) -> dict[str, Any]:
    soft = set(kept_variables(form).values())

    def names(places: tuple[int, ...]) -> list[str]:
        return [form.variables[v] for v in places if v + 1 not in soft]

    return {
        "variables": len(form.variables) - len(soft),
        "rules": len(form.rules),
        "soft": len(soft),
        "satisfiable": found.satisfiable,
        "core": [form.rules[i] for i in found.core],
        "conflicts": [[form.rules[i] for i in core] for core in found.cores],
        "never_true": names(found.never),
        "always_true": names(found.always),
        "never_kept": [form.variables[v] for v in found.never if v + 1 in soft],
        "redundant": [form.rules[i] for i in found.redundant],
        "implied_by": _reasons(form, found.implied),
        "removable": [form.rules[i] for i in found.removable],
        "vacuous": _reasons(form, found.vacuous),
        "same": [[form.rules[a], form.rules[b]] for a, b in found.same],
        "equal": [[form.variables[a], form.variables[b]] for a, b in found.equal],
        "soft_core": [form.rules[i] for i in found.soft_core],
        "witnesses": {form.rules[i]: _true(form, values, soft) for i, values in found.witnesses},
        "undecided": [form.rules[i] for i in found.open],
        "seconds": took,
    }


def _sentences(form: NormalForm, found: Examined, took: float) -> list[str]:
    told = _figures(form, replace(found, witnesses=found.witnesses[:1]), took)
    lines = [f"{plural(told['rules'], 'rule')} ({told['soft']} soft) over {told['variables']:,} variables."]
    if found.satisfiable is None:
        lines.append("Whether they can be kept together was not found out in time; give more --seconds.")
    elif not found.satisfiable:
        lines.append("The hard rules cannot be kept together. These already conflict, none of them to spare:")
        lines += [f"  {name}: {_words(form, i)}" for i, name in zip(found.core, told["core"], strict=True)]
    else:
        lines.append("All hard rules can be kept together.")
    said = {
        "always_true": "Always true",
        "never_true": "Never true",
        "never_kept": "Soft rules that can never be kept",
        "redundant": "Implied by the others",
        "removable": "Can all be left out at once",
        "vacuous": "With a condition that never holds",
        "soft_core": "Soft rules that cannot all be kept at once",
        "undecided": "Not decided in time",
    }
    lines += [f"{words}: {_some(list(told[key]))}." for key, words in said.items() if told[key]]
    pairs = {"same": "Say the same", "equal": "Always equal"}
    lines += [
        f"{words}: {_some([' and '.join(p) for p in told[k]])}." for k, words in pairs.items() if told[k]
    ]
    if found.witnesses:
        lines.append(
            f"Of {plural(len(found.witnesses), 'rule')} there is a record that breaks it and no other."
        )
        rule, values = next(iter(told["witnesses"].items()))
        lines.append(f"  {rule}: true are {_some(values) or 'no variables'}.")
    return [*lines, f"Took {took:.3g} s."]


def _reasons(form: NormalForm, found: Reasons) -> dict[str, list[str] | None]:
    return {form.rules[i]: None if why is None else [form.rules[j] for j in why] for i, why in found.items()}


def _true(form: NormalForm, values: Bools, soft: set[int]) -> list[str]:
    return [form.variables[v] for v in np.flatnonzero(values) if v + 1 not in soft]


def _words(form: NormalForm, rule: int) -> str:
    """Return what a rule of a DIMACS file, a clause, says in the names of its variables."""
    said = []
    for c in form.constraints:
        if c.rule == rule:
            literals = [("" if x > 0 else "not ") + form.variables[abs(x) - 1] for x in c.literals]
            said.append(
                " or ".join(literals) if c.clause else f"at least {c.bound} of ({', '.join(literals)})"
            )
    return " and ".join(words or "nothing" for words in said) or "always"


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def add_rules(verbs: Any, make: Any) -> None:
    """Add the verb `rules` with its own verbs; `make` adds one with --json."""
    rules = verbs.add_parser("rules", help="check a rule set, or repair decisions by it")
    under = rules.add_subparsers(title="verbs", metavar="VERB", required=True)
    one = make(under, "check", check_rules, "can the rules be kept, and which say nothing new", json=True)
    _add_files(one)
    one.add_argument("--seconds", type=seconds, default=20.0, help="time for the questions (default 20)")
    add_packs(under, make)
    add_sequences(under, make)
    add_write(under, make, _add_files)
    one = make(under, "repair", repair_scores, "the most probable decisions that keep the rules", json=True)
    _add_files(one)
    one.add_argument("--scores", help="for clauses: a score a variable and record (.csv, .npz)")
    one.add_argument("--out", required=True, help="where to, by suffix: .csv .npz")
    one.add_argument("--kind", choices=KINDS, default=KINDS[0], help="what the scores are")
    one.add_argument("--facts", type=int, default=0, help="the first so many variables are given (default 0)")
    one.add_argument(
        "--soft-nats",
        type=nats,
        default=1.0,
        help="log-odds that one unit of a soft weight is worth (default 1)",
    )
    one.add_argument(
        "--seconds",
        type=seconds,
        default=inf,
        help="time for hard records, all together; the rest is repaired but not proven (default: no limit)",
    )
    one.add_argument(
        "--sample",
        type=count,
        default=_SAMPLE,
        help=f"records RC2 solves once more (default {_SAMPLE})",
    )


def _add_files(verb: Any) -> None:
    verb.add_argument("file", help=f"a domain pack, or rules ({' '.join((*SUFFIXES, TEXT, *READERS))})")
    verb.add_argument("--data", help="a table of facts and answers (.csv) that rules of a text are about")
    verb.add_argument("--decides", default="", help="columns of --data that are decided, commas between")
