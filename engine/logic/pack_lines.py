"""Where the keys of a TOML text stand: tomllib keeps no lines, so headers and keys are looked up once more.

What is found is only as good as the plain way of writing TOML; a key that is not found is named with the
line of the nearest header around it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from ..errors import RuleError

Key = tuple[str | int, ...]

_HEADER = re.compile(r"(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_ASSIGNED = re.compile(
    r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)$"""
)
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_QUOTES = re.compile("\"\"\"|'''")


@dataclass(frozen=True)
class Lines:
    """Lines, from 1, of the keys of one text.

    Attributes:
        found: the line of a key or header.
        rules: the line at which the first line of the rules stands.
    """

    found: dict[Key, int]
    rules: int

    def near(self, key: Key) -> int:
        """Return the line of `key`, or of the nearest header around it."""
        while key and key not in self.found:
            key = key[:-1]
        return self.found.get(key, 1)

    def in_rules(self, error: RuleError) -> RuleError:
        """Return an error about the rules with its line counted from the beginning of the file."""
        where = re.sub(r"line (\d+)", lambda m: f"line {int(m[1]) + self.rules - 1}", error.where, count=1)
        where = f"{where}, rules" if where else f"line {self.rules}, rules"
        return RuleError(error.what, where=where, why=error.why, do=error.do)


def lines_of(text: str) -> Lines:
    """Return where the keys of `text` stand."""
    found: dict[Key, int] = {}
    counts: Counter[Key] = Counter()
    here: Key = ()
    rules, closing = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        header = _HEADER.match(line.strip())
        assigned = _ASSIGNED.match(line)
        if header and not assigned:
            here = _names(header[2])
            if header[1] == "[[":
                counts[here] += 1
                here = (*here, counts[here] - 1)
            found.setdefault(here, number)
        elif assigned:
            key = (*here, *_names(assigned[1]))
            found.setdefault(key, number)
            opened = _QUOTES.search(assigned[2])
            if opened and assigned[2].count(opened[0]) == 1:
                closing = opened[0]
            if key == ("rules", "text"):
                rules = number + (assigned[2].strip() in ('"""', "'''"))
    return Lines(found, rules)


def words_of(key: Key) -> str:
    """Return a key as a person writes it: `samples[2].facts.age`; entries are counted from 1."""
    words = ""
    for part in key:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return words.removeprefix(".")[:120]


def _names(text: str) -> Key:
    return tuple(part.strip("\"'") for part in _PART.findall(text))
