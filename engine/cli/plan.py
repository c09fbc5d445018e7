"""The verb that shows a compiled program: which kernel serves which layer, and why."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import PolybitError
from ..files.model import load_program
from ..files.project import open_project
from ..files.store import packed, started
from ..runtime.compile import Fed
from ..runtime.program import Program
from .printing import note, say, say_json, size, table

KINDS: dict[str, Fed] = {"float32": "float32", "uint8": "uint8"}


def show_plan(options: argparse.Namespace) -> int:
    """Print the steps of a model, a run or a project as it would be shipped."""
    program = _program(Path(options.file))
    compiled = program.compiled(program.ends, KINDS[options.samples])
    rows = [
        {
            "nodes": list(step.nodes),
            "kernel": step.kernel,
            "words": step.words,
            "bytes": step.nbytes[0],
            "bytes_per_record": step.nbytes[1],
        }
        for step in compiled.steps
    ]
    if options.json:
        say_json({"samples": options.samples, "chunk": compiled.chunk, "steps": rows})
        return 0
    head = ("step", "nodes", "kernel", "holds", "a record")
    table([head, *(_cells(i, row) for i, row in enumerate(rows, 1))])
    say(f"Runs {compiled.chunk:,} records at a time, given as {options.samples}.")
    return 0


def _cells(place: int, row: dict[str, Any]) -> tuple[str, ...]:
    held, each = (size(row[key]) if row[key] else "-" for key in ("bytes", "bytes_per_record"))
    return f"{place}. {row['words']}", ", ".join(row["nodes"]), row["kernel"], held, each


def _program(path: Path) -> Program:
    """Return the program of a model or run file, or that of a project with fresh weights."""
    if path.suffix == ".h5":
        return load_program(path)
    project = open_project(path)
    for words in project.notes:
        note(words)
    errors = [problem for problem in project.graph.problems() if problem.level == "error"]
    if errors:
        raise PolybitError(str(errors[0]), do="Mend the project first; polybit check lists all.")
    return Program(project.graph, packed(project.graph, started(project.graph)))
