"""The verb that widens: another project with more units and filters."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ..errors import PolybitError
from ..files.project import SUFFIX, open_project, save_project
from ..templates.widen import widened
from .printing import note, say, say_json


def widen(options: argparse.Namespace) -> int:
    """Write a project whose hidden layers are wider by a factor."""
    out = Path(options.out)
    if out.suffix != SUFFIX:
        raise PolybitError(f"A project is written to a file that ends in {SUFFIX}; got {options.out!r}.")
    if out.resolve() == Path(options.project).resolve():
        raise PolybitError(
            "The wider project would be written over the one it is made of.", do="Choose another name."
        )
    project = open_project(options.project)
    for words in project.notes:
        note(words)
    wide = widened(project.graph, options.factor)
    changed = [name for name in wide.nodes if wide.node(name) != project.graph.node(name)]
    if out.parent.resolve() != Path(options.project).parent.resolve():
        note("Its data paths are relative to the old folder: move it there, or its data beside it.")
    save_project(replace(project, graph=wide), out)
    if options.json:
        say_json({"project": str(out), "layers": changed})
    else:
        say(f"Wrote {out}: {len(changed)} layers are {options.factor:g} times as wide.")
    return 0
