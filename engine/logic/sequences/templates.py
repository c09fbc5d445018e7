"""Every template there is: looking here makes sure that all families have been entered."""

from __future__ import annotations

from . import existence, negative, relations, windows
from .template import TEMPLATES, Slot, Template, find_template

SPEED = "speed"  # the template that asks for places

__all__ = [
    "SPEED",
    "TEMPLATES",
    "Slot",
    "Template",
    "existence",
    "find_template",
    "negative",
    "relations",
    "windows",
]
