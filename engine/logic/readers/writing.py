"""Text in the rule language, as readers of other languages write it."""

from __future__ import annotations

from collections.abc import Sequence


def quoted(text: str) -> str:
    """Return a name, value or reason in quotes."""
    text = " ".join(text.split())
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def either(parts: Sequence[str]) -> str:
    """Return that at least one of the conditions holds."""
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def both(parts: Sequence[str]) -> str:
    """Return that all of the conditions hold."""
    return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


def rule_text(name: str, condition: str, reason: str = "") -> str:
    """Return one rule on lines of its own."""
    because = f"  because {quoted(reason)}\n" if reason else ""
    return f"rule {quoted(name)}: {condition}\n{because}"
