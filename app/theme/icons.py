"""Phosphor icons in the colours of the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QPixmap

from app.theme.current import theme
from app.theme.glyphs import glyph


def icon(name: str, colour: str = "mid", *, on: str = "") -> QIcon:
    """Return an icon by its `ph.` name, coloured by a token or `#RRGGBB`; `on` colours its checked state."""
    low = theme().colour("low", 0.5).name(theme().colour("low").NameFormat.HexArgb)
    return glyph(name, _hex(colour), low, _hex(on or colour))


def pixmap(name: str, colour: str = "mid", size: int = 16, ratio: float = 1.0) -> QPixmap:
    """Return an icon as a picture of `size` device-independent pixels at a device pixel ratio."""
    return _pixmap(name, _hex(colour), size, ratio)


def _hex(colour: str) -> str:
    return colour if colour.startswith("#") else str(getattr(theme().tokens, colour))


@lru_cache(maxsize=2048)
def _pixmap(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    return glyph(name, colour).pixmap(QSize(size, size), ratio)
