"""Every kind of node and every option there is: the only list of what exists.

Nobody enters anything here. The rooms of nodes are looked through once: each class with a `kind` is a node,
each `Family` a family of options. A new node or option is therefore one file in its room.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from . import settings
from .node import Node
from .options import Family

ROOMS = ("sources", "flow", "bnn", "hdc", "snn", "logic")

# What a section of the palette is called, in palette order, and which family of nodes stands in it.
SECTIONS = {
    "data": "Data",
    "flow": "Graph",
    "bnn": "Binary networks",
    "hdc": "Hyperdimensional",
    "snn": "Spiking",
    "logic": "Logic",
}

# The headings of a long section: from which order on its nodes stand under which.
SHELVES = {
    "bnn": {
        0: "Binary networks",
        200: "Activations and scales",
        300: "Channels and gates",
        400: "Codes and attention",
    },
}


def shelf_of(node: type[Node]) -> str:
    """Return the heading that a kind stands under in the palette."""
    shelves = SHELVES.get(node.family, {0: SECTIONS[node.family]})
    return shelves[max(start for start in shelves if start <= node.order)]


def _modules() -> list[ModuleType]:
    here = Path(__file__).parent
    names = [f".{room}.{m.name}" for room in ROOMS for m in iter_modules([str(here / room)])]
    return [import_module(name, __package__) for name in names if not name.endswith("_process")]


def _nodes(modules: list[ModuleType]) -> dict[str, type[Node]]:
    found = {
        value.kind: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Node)
        and value.__module__ == module.__name__
        and value.kind
    }
    places = list(SECTIONS)
    return dict(sorted(found.items(), key=lambda item: (places.index(item[1].family), item[1].order)))


def _families(modules: list[ModuleType]) -> dict[str, Family[Any]]:
    found = [v for module in (*modules, settings) for v in vars(module).values() if isinstance(v, Family)]
    return {family.name: family for family in found}


_MODULES = _modules()
NODES: dict[str, type[Node]] = _nodes(_MODULES)
FAMILIES: dict[str, Family[Any]] = _families(_MODULES)
