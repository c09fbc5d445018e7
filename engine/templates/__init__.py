"""Fragments of graphs that a person inserts as a whole, one a file: the files are looked through."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .template import TEMPLATES as TEMPLATES
from .template import Size as Size
from .template import Template as Template

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f".{_module.name}", __package__)
