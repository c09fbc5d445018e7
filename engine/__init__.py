"""The Polybit engine: hybrid binary networks trained and run without a window.

It never imports Qt. Rooms, lowest first: errors, fields, options, precision, ports, kernels, hardware,
node, graph, the rooms of nodes (sources, flow, bnn, hdc, snn, logic), catalog and estimate, runtime, files
and data, train, cli. The three doors of a program that uses the engine are `open_project`, `train` and
`load_model`; they import their room when they are first used, so that importing the engine stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .files.model import load_model as load_model
    from .files.project import open_project as open_project
    from .train.loop import train as train

__version__ = "0.1.0"

_DOORS = {
    "open_project": ("files.project", "open_project"),
    "train": ("train.loop", "train"),
    "load_model": ("files.model", "load_model"),
}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    room, attribute = _DOORS[name]
    return getattr(import_module(f".{room}", __name__), attribute)
