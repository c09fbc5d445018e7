"""Words and figures on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    say(json.dumps(value, indent=1, ensure_ascii=False))


def note(text: str) -> None:
    """Print one line beside the results, on standard error."""
    sys.stderr.write(text + "\n")


def table(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> None:
    """Print rows in columns, those that are named aligned left, the others right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        sized = enumerate(zip(row, widths, strict=True))
        cells = [cell.ljust(width) if i in left else cell.rjust(width) for i, (cell, width) in sized]
        say("  ".join(cells).rstrip())


def size(count: float) -> str:
    """Return bytes in words, in powers of 1,000: `1.2 kB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def percent(share: float) -> str:
    """Return a share as a percentage: `96.31 %`."""
    return f"{100 * share:.2f} %"


def plural(count: int, one: str) -> str:
    """Return a count with its noun: `1 answer`, `2 answers`."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
