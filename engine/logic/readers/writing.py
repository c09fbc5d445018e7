"""Text in the rule language, as readers of other languages write it."""

from __future__ import annotations

from collections.abc import Sequence


def quoted(text: str) -> str:
    """Return a name or value of one line in quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def either(parts: Sequence[str]) -> str:
    """Return that at least one of the conditions holds."""
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def both(parts: Sequence[str]) -> str:
    """Return that all of the conditions hold."""
    return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


def rule_text(name: str, condition: str, reason: str = "") -> str:
    """Return one rule on lines of its own."""
    because = f"  because {quoted(one_line(reason))}\n" if reason else ""
    return f"rule {quoted(one_line(name))}: {condition}\n{because}"


def one_line(text: str) -> str:
    """Return words on one line, with one space between any two."""
    return " ".join(text.split())
