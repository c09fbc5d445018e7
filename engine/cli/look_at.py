"""The verbs that look and change nothing: check, estimate, catalogue."""

from __future__ import annotations

import argparse
import inspect
from dataclasses import asdict
from math import isnan
from typing import Any

from ..catalog import FAMILIES, NODES
from ..errors import PolybitError
from ..estimate import estimate
from ..fields import label
from ..files.project import Project, open_project
from ..graph import Graph, Problem
from ..logic.checking import check_rules
from ..templates import TEMPLATES
from ..train.check import ALLOWED, check_gradients
from .printing import note, say, say_json, size, table


def check(options: argparse.Namespace) -> int:
    """List the problems of a project; 1 where one keeps it from training, or a gradient is wrong."""
    project = open_project(options.project)
    if options.gradients:
        return _check_gradients(project, json=options.json)
    problems = [*project.graph.problems(), *_of_rules(project.graph)]
    errors = [p for p in problems if p.level == "error"]
    if options.json:
        say_json({"problems": [asdict(p) for p in problems], "notes": list(project.notes)})
        return 1 if errors else 0
    for words in project.notes:
        note(words)
    for problem in problems:
        say(f"{problem.level}: {problem}")
    if not problems:
        say(f"No problems: {len(project.graph.nodes)} nodes, {len(project.graph.wires)} wires.")
    return 1 if errors else 0


def _of_rules(graph: Graph) -> list[Problem]:
    """Return as warnings where the rules that a node is given leave no answer."""
    found: list[Problem] = []
    for name in graph.order:
        node, text = graph.nodes[name].node, getattr(graph.nodes[name].node, "rules", "")
        if not (hasattr(node, "rule_set") and isinstance(text, str) and text.strip()):
            continue
        try:
            told = check_rules(text, node.rule_set(*graph.input_specs(name)).vocabulary)
        except (PolybitError, ValueError):  # what is not wired or cannot be read is a problem of the graph
            continue
        for finding in told.findings:
            if finding.kind in ("conflict", "no answer"):
                place = f"line {finding.line}: " if finding.line else ""
                what = f"{place}{finding.what}"
                found.append(Problem(name, what, finding.do, parameter="rules", level="warning"))
    return found


def _check_gradients(project: Project, *, json: bool) -> int:
    """Print how far the gradient of each node is from finite differences."""
    found = check_gradients(project)
    wrong = [check for check in found if not check.fine]
    if json:
        entries = [{**asdict(c), "error": None if isnan(c.error) else c.error} for c in found]
        say_json({"gradients": entries, "allowed": ALLOWED})
        return 1 if wrong else 0
    rows = [("node", "compared", "worst error", "remark")]
    rows += [(c.node, str(c.compared), "" if isnan(c.error) else f"{c.error:.1e}", c.remark) for c in found]
    table(rows, left=(0, 3))
    if wrong:
        names = ", ".join(check.node for check in wrong)
        say(f"The gradient differs from finite differences by more than {ALLOWED:.0%} at {names}.")
    else:
        say(f"Every gradient that can be compared is within {ALLOWED:.0%} of finite differences.")
    return 1 if wrong else 0


def show_estimate(options: argparse.Namespace) -> int:
    """Print what one record costs, for each node and in all."""
    project = open_project(options.project)
    found = estimate(project.graph)
    if options.json:
        by_node = {name: _figures(f) for name, f in found.by_node.items()}
        table_name = found.energy_table
        say_json(
            {
                "total": _figures(found.total),
                "by_node": by_node,
                "source": found.source,
                "energy_table": table_name,
            }
        )
        return 0
    rows = [("node", "size", "operations", "steps", "energy")]
    rows += [(name, *_cells(f)) for name, f in found.by_node.items() if f.operations or f.weight_bits]
    table([*rows, ("all", *_cells(found.total))])
    say(f"For one record, counted. Energy: {found.energy_table}. Steps: 64 one-bit products are one.")
    return 0


def catalogue(options: argparse.Namespace) -> int:
    """Print every kind of node, every option of every family, and every template."""
    known = entries = [*_node_entries(), *_option_entries(), *_template_entries()]
    if options.family:
        entries = [e for e in entries if options.family in (e["family"], e["family"].partition(".")[0])]
        if not entries:
            there = ", ".join(sorted({e["family"] for e in known}))
            raise PolybitError(f"There is no family {options.family!r}; there are {there}.")
    if options.json:
        say_json(entries)
        return 0
    for entry in entries:
        cited = f"  [{entry['citation']}]" if entry["citation"] else ""
        say(f"{entry['kind']:<24} {entry['name']:<30} {entry['summary']}{cited}")
    return 0


def _figures(figures: Any) -> dict[str, float]:
    return {**asdict(figures), "weight_bytes": figures.weight_bytes}


def _cells(figures: Any) -> tuple[str, str, str, str]:
    energy = figures.energy_pj
    nano = f"{energy / 1000:,.1f} nJ"
    return (size(figures.weight_bytes), f"{figures.operations:,}", f"{figures.steps:,}", nano)


def _node_entries() -> list[dict[str, Any]]:
    return [
        {
            "name": cls.title,
            "family": cls.family,
            "kind": kind,
            "summary": cls.summary,
            "citation": cls.citation,
            "help": inspect.getdoc(cls) or "",
            "inputs": [
                {"name": p.name, "accepts": list(p.accepts), "required": p.required} for p in cls.inputs
            ],
            "outputs": [{"name": p.name, "gives": p.accepts[0]} for p in cls.outputs],
            "parameters": [
                {"name": n, "label": label(n), "help": a.help, "unit": a.unit, "citation": a.citation}
                for n, a in cls.about().items()
                if a.form != "hidden"
            ],
        }
        for kind, cls in NODES.items()
    ]


def _template_entries() -> list[dict[str, Any]]:
    return [
        {
            "name": one.title,
            "family": "template",
            "kind": f"template:{one.key}",
            "summary": one.summary,
            "citation": one.citation,
        }
        for one in TEMPLATES.values()
    ]


def _option_entries() -> list[dict[str, Any]]:
    return [
        {
            "name": option.title,
            "family": family.name,
            "kind": f"{family.name}:{option.key}",
            "summary": option.formula,
            "citation": option.citation,
        }
        for family in FAMILIES.values()
        for option in family.all()
    ]
