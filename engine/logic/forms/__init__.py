"""Rule forms, one a file. Looking through the room enters them all."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .form import (
    CALLS,
    FORMS,
    Argument,
    Call,
    Cell,
    Entry,
    Labelled,
    Option,
    as_expression,
    as_formula,
    class_alone,
    form,
    range_of,
    unknown_call,
)
from .relation import Relation

__all__ = [
    "CALLS",
    "FORMS",
    "Argument",
    "Call",
    "Cell",
    "Entry",
    "Labelled",
    "Option",
    "Relation",
    "as_expression",
    "as_formula",
    "class_alone",
    "form",
    "range_of",
    "unknown_call",
]

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f".{_module.name}", __name__)
