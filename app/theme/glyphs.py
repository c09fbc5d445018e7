"""The only door to the icon font: a Phosphor icon in a given colour."""

from __future__ import annotations

from functools import lru_cache

import qtawesome
from PySide6.QtGui import QIcon

_UNKNOWN = "ph.cube"


def known(name: str) -> bool:
    """Whether the font has an icon of that name."""
    try:
        qtawesome.charmap(name)
    except (KeyError, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def glyph(name: str, colour: str, disabled: str = "", on: str = "") -> QIcon:
    """Return the icon `name` ("ph." and its Phosphor name) in a colour, greyed where it is disabled.

    A node kind may name an icon that the font lacks; it is drawn as a cube, and a test names the kind.
    """
    name = name if known(name) else _UNKNOWN
    made: QIcon = qtawesome.icon(name, color=colour, color_disabled=disabled or colour, color_on=on or colour)
    return made
