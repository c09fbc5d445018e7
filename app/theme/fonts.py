"""Inter for everything, JetBrains Mono for code and bit chips, with tabular figures.

Both are variable fonts: Qt's own weight has no effect on them, the weight axis does.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

from PySide6.QtGui import QFont, QFontDatabase

_INTER = ("fontpkg_inter", "Inter[opsz,wght].ttf", "Inter")
_MONO = ("fontpkg_jetbrains_mono", "JetBrainsMono[wght].ttf", "JetBrains Mono")

CAPTION, BODY, BASE, TITLE, FIGURE = 11, 12, 13, 15, 17  # px


@cache
def _family(package: str, name: str, fallback: str) -> str:
    with as_file(files(package) / "files" / name) as path:
        number = QFontDatabase.addApplicationFont(str(path))
    names = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return names[0] if names else fallback


@cache
def font(size: int = BASE, weight: int = 400) -> QFont:
    """Return Inter at `size` pixels; weight is 400 or 600. Copy it to change it."""
    return _made(_family(*_INTER), size, weight)


@cache
def mono(size: int = CAPTION, weight: int = 400) -> QFont:
    """Return JetBrains Mono at `size` pixels; weight is 400 or 600. Copy it to change it."""
    made = _made(_family(*_MONO), size, weight)
    made.setStyleHint(QFont.StyleHint.Monospace)
    made.setFixedPitch(True)
    return made


@cache
def section() -> QFont:
    """Return the font of section labels: small capitals with some air."""
    made = QFont(font(CAPTION, 600))
    made.setCapitalization(QFont.Capitalization.AllUppercase)
    made.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.3)
    return made


def _made(family: str, size: int, weight: int) -> QFont:
    made = QFont(family)
    made.setPixelSize(size)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    made.setVariableAxis(QFont.Tag("wght"), float(weight))
    made.setFeature(QFont.Tag("tnum"), 1)
    return made
