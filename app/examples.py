"""The projects that come with the program: worked examples, and a zoo of networks of the literature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import PolybitError
from engine.files.project import SUFFIX, Project, open_project
from engine.node import Family
from engine.source import Source

EXAMPLES = Path(__file__).resolve().parent.parent / "projects"
_ZOO = "zoo"  # the folder of the networks
_PARADIGMS: tuple[Family, ...] = ("bnn", "hdc", "snn", "logic")


@dataclass(frozen=True)
class Example:
    """An example project: where it is and what it holds."""

    path: Path
    project: Project

    @property
    def records(self) -> int:
        """Return how many records its data files hold."""
        headers = [p.node.header for p in self.project.graph.nodes.values() if isinstance(p.node, Source)]
        return sum(h.records for h in headers if h)

    @property
    def paradigms(self) -> list[Family]:
        """Return the paradigms it joins."""
        there = {p.node.family for p in self.project.graph.nodes.values()}
        return [family for family in _PARADIGMS if family in there]


def examples(folder: Path = EXAMPLES) -> list[Example]:
    """Return the worked examples in a folder of folders, their data looked into; broken ones are left out."""
    found = list(_read(folder.glob(f"*/*{SUFFIX}"), probe=True))
    worked = [example for example in found if example.path.parent.name != _ZOO]
    return sorted(worked, key=lambda e: (-len(e.paradigms), e.project.name))


def zoo(folder: Path = EXAMPLES) -> list[Path]:
    """Return the files of the networks, smallest first: they are read when they are shown."""
    return sorted((folder / _ZOO).glob(f"*{SUFFIX}"), key=lambda path: (path.stat().st_size, path.name))


def read_example(path: Path) -> Example | None:
    """Return one example; no data file is opened, as that takes long. None where it cannot be read."""
    return _kept(path, path.stat().st_mtime)


def listed(folder: Path = EXAMPLES) -> dict[str, list[Example]]:
    """Return every example by the heading it is listed under; no data file is opened."""
    worked = [path for path in folder.glob(f"*/*{SUFFIX}") if path.parent.name != _ZOO]
    groups = {"Networks": zoo(folder), "Worked examples": sorted(worked)}
    read = {title: [read_example(path) for path in paths] for title, paths in groups.items()}
    return {title: [example for example in found if example] for title, found in read.items()}


@cache
def _kept(path: Path, changed: float) -> Example | None:
    return next(_read(iter([path]), probe=False), None)


def _read(paths: Iterator[Path], *, probe: bool) -> Iterator[Example]:
    for path in sorted(paths):
        try:
            yield Example(path, open_project(path, probe=probe))
        except PolybitError:
            continue
