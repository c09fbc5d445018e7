"""Readers of rule sets in other languages, one a file. Looking through the room enters them all."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .reader import READERS, Document, Reader, read_rules

__all__ = ["READERS", "Document", "Reader", "read_rules"]

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f".{_module.name}", __name__)
