"""The palette of the Fusion style from the tokens."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from app.theme.tokens import Tokens, mixed

_ROLES = {
    "Window": "window",
    "WindowText": "hi",
    "Base": "field",
    "AlternateBase": "panel",
    "ToolTipBase": "card",
    "ToolTipText": "hi",
    "PlaceholderText": "low",
    "Text": "hi",
    "Button": "card",
    "ButtonText": "hi",
    "BrightText": "error",
    "Highlight": "accent",
    "HighlightedText": "on_accent",
    "Link": "accent",
    "LinkVisited": "hyper",
    "Accent": "accent",
    "Light": "hover",
    "Midlight": "hover",
    "Mid": "line_strong",
    "Dark": "line",
    "Shadow": "shadow",
}


def palette(tokens: Tokens) -> QPalette:
    """Return the palette of a theme."""
    made = QPalette()
    for role, token in _ROLES.items():
        made.setColor(QPalette.ColorRole[role], QColor(getattr(tokens, token)))
    faint = QColor(mixed(tokens.low, tokens.panel, 0.6))
    for role in ("WindowText", "Text", "ButtonText"):
        made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole[role], faint)
    return made
