"""How a rule is written where a text says it in other words: other languages' signs, plain English, units.

Asked only where a text has gone wrong, with the piece that cannot stand where it does; what comes back is one
sentence with the right form, or nothing where none is likely.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .lexicon import Piece
from .vocabulary import number_of

_UNIT = "Numbers have no unit: write the number alone, in the unit of the facts."
_IS = "is asks only whether a fact is known or missing."
_BRACES = "Values stand in braces, {a, b}; a range like 3..5 has no spaces."
_LONGEST = 300  # characters of an advice
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}")
_WITH_UNIT = re.compile(r"[+-]?\d[\d.]*\D{1,8}")
_GREATER, _LESS = "Write x > 3, or x >= 3.", "Write x < 3, or x <= 3."

# A character that means nothing here -> what is to be done.
_CHARACTERS = {
    "&": "Write and.",
    "|": "Write or; for a size without its sign abs(x).",
    "!": "Write not; for unequal !=.",
    "~": "Write not.",
    "∧": "Write and.",
    "∨": "Write or.",  # noqa: RUF001
    "¬": "Write not.",
    "→": "Write implies.",
    "⇒": "Write implies.",
    "↔": "Write iff.",
    "⇔": "Write iff.",
    "⊕": "Write xor.",
    "∈": "Write in.",
    "−": "Write -.",
    "–": "Write - for minus, 3..5 for a range.",
    "—": "Write -.",
    "·": "Write *.",
    "÷": "Write /.",
    "^": "A power is written as a product: x * x.",
    "²": "A power is written as a product: x * x.",
    "…": "A range is written 3..5.",
    "[": _BRACES,
    "]": _BRACES,
    ";": "Rules need nothing between them, each begins with rule; values are parted by commas.",
    "'": 'Quotes are written ".',
    "’": 'Quotes are written ".',  # noqa: RUF001
    "‘": 'Quotes are written ".',  # noqa: RUF001
    "“": 'Quotes are written ".',
    "”": 'Quotes are written ".',
    "„": 'Quotes are written ".',
    "%": "Numbers have no unit: write the number alone, as the facts have it (10 or 0.1).",
}

# A word that cannot stand where it does -> how what it says is written.
_WORDS = {
    "only": "For 'a only if b' write a implies b.",
    "if": "The condition comes first: if a then b. For 'if and only if' write a iff b.",
    "unless": "For 'a unless b' write if not b then a.",
    "when": "The condition comes first: if a then b.",
    "requires": "Write a implies b.",
    "needs": "Write a implies b.",
    "means": "Write a implies b.",
    "excludes": "Write a implies not b.",
    "forbids": "Write a implies not b.",
    "but": "Write and.",
    "between": "Write x in 3..5, or 3 < x < 5.",
    "within": "Write x in 3..5, or x = 10 +- 0.1.",
    "above": _GREATER,
    "over": _GREATER,
    "exceeds": _GREATER,
    "greater": _GREATER,
    "larger": _GREATER,
    "more": "Write x > 3; for 'no more than' x <= 3, or at most 3 of (a, b, c).",
    "below": _LESS,
    "under": _LESS,
    "smaller": _LESS,
    "less": "Write x < 3; for 'no less than' x >= 3, or at least 3 of (a, b, c).",
    "fewer": "Write x < 3; for 'no fewer than' x >= 3, or at least 3 of (a, b, c).",
    "equals": "Write x = 3.",
    "equal": "Write x = 3.",
    "missing": "Write x is missing.",
    "known": "Write x is known.",
    "rule": "Write rule in small letters, or RULE.",
    "must": "Write what holds: if a then b.",
    "shall": "Write what holds: if a then b.",
}
# A word before one that cannot stand there.
_AFTER = {
    "either": "Write a or b; where never both hold, a xor b.",
    "neither": "Write not a and not b.",
    "both": "Write a and b.",
    "no": "Write not a.",
    "never": "Write not a.",
    "always": "Write what always holds by itself.",
    "when": "Write if a then b.",
    "whenever": "Write if a then b.",
    "unless": "Write if not b then a.",
    "between": "Write at least 1 of (a, b) and at most 2 of (a, b).",
}
_COUNTED = {
    "none": "at most 0 of (a, b, c)",
    "one": "exactly 1 of (a, b, c)",
    "two": "exactly 2 of (a, b, c)",
    "three": "exactly 3 of (a, b, c)",
    "any": "at least 1 of (a, b, c)",
    "some": "at least 1 of (a, b, c)",
    "all": "a and b and c",
    "both": "a and b",
    "sum": "a + b",
}
_MARKS = {
    ",": "No comma stands here.",
    ":": "The one colon of a rule stands before what must hold: rule NAME: if a then b.",
    "{": "Braces hold values after in and the rows of a table; conditions stand in brackets ( ).",
}
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# What other languages call what is written in another way here.
_CALLS = {
    "sum": "Write a + b.",
    "count": "Write at least 2 of (a, b, c).",
    "distinct": "Write all different(a, b, c).",
    "different": "Write all different(a, b, c).",
    "average": "Write (a + b) / 2.",
    "mean": "Write (a + b) / 2.",
    "between": "Write x in 3..5.",
    "isnull": "Write x is missing.",
}
_GAPS = {"unknown", "null", "empty", "blank", "absent", "none", "na", "nan"}
# Two signs that stand side by side -> what is meant.
_SIGNS = {
    ("=", ">"): "=> is written implies; for at least write >=.",
    ("-", ">"): "-> is written implies.",
    ("<=", ">"): "<=> is written iff.",
    ("<", ">"): "<> is written !=.",
    ("=", "<"): "=< is written <=.",
    ("+", "/"): "A tolerance is written x = 10 +- 0.1.",
    ("*", "*"): "A power is written as a product: x * x.",
    ("/", "/"): "A comment begins with #.",
    ("/", "*"): "A comment begins with #.",
    ("=", "="): "One sign compares: = is enough.",
}


def of_character(text: str, before: Piece | None) -> str:
    """Return what to do about a character that means nothing, after the piece `before`."""
    if before is not None and number_of(before.text) is not None and text not in _CHARACTERS:
        return _UNIT
    if text in "$€£¥°":
        return _UNIT
    return _CHARACTERS.get(text, "Put a name that holds it in quotes.")


def of_number(text: str) -> str:
    """Return the number that a word like two says, or ""."""
    return str(_NUMBERS.index(text.lower())) if text.lower() in _NUMBERS else ""


def of_call(name: str) -> str:
    """Return how what a form of another language says is written, or ""."""
    return _CALLS.get(name.lower(), "")


def of_value(text: str) -> str:
    """Return what to do about a text that stands where a number must."""
    if _DATE.fullmatch(text):
        return "A date is compared as the number that the column has for it, 20240131 say."
    if number_of(text.replace("_", "").replace(",", ".")) is not None:
        return "Write the digits alone: 1000, 4.5."
    return _UNIT if _WITH_UNIT.fullmatch(text) else "Write a number like 6 or -0.5, without quotes."


@dataclass(frozen=True)
class Wrong:
    """A piece that cannot stand where it does.

    Attributes:
        pieces: those of the rule, without comments.
        at: which of them it is.
        accepted: the kinds of tokens that could have stood there, as grammar.py names them.
    """

    pieces: Sequence[Piece]
    at: int
    accepted: Collection[str]

    @property
    def here(self) -> Piece:
        """Return the piece."""
        return self.pieces[self.at]

    @property
    def word(self) -> str:
        """Return it in small letters if it is a word, or ""."""
        return self.here.text.lower() if self.here.kind == "word" else ""

    def back(self, steps: int = 1) -> Piece:
        """Return the piece so many steps before it; at the beginning one that says nothing."""
        return self.pieces[self.at - steps] if self.at >= steps else _NOTHING

    @property
    def after(self) -> str:
        """Return the text of the piece after it, or ""."""
        return self.pieces[self.at + 1].text if self.at + 1 < len(self.pieces) else ""

    def many(self, mark: str) -> int:
        """Return how often a mark stands up to here."""
        return sum(piece.text == mark for piece in self.pieces[: self.at + 1])


_NOTHING = Piece("mark", "", 0, 1, 1)


def of_piece(wrong: Wrong) -> str:
    """Return how what is meant is written, or ""; a piece of a page is not written out once more."""
    said = next((advice for adviser in _ADVISERS if (advice := adviser(wrong))), "")
    return said if len(said) <= _LONGEST else ""


def _of_head(wrong: Wrong) -> str:
    if "RULE" in wrong.accepted:
        return "A rule begins with rule: rule NAME: if a then b." if not wrong.at else ""
    if "_COLON" not in wrong.accepted or "_COMMA" in wrong.accepted:
        return ""
    if wrong.here.keyword or wrong.here.capital:
        return "A colon stands before what must hold: rule NAME: if a then b."
    return "A rule has one name, then weight and level: rule NAME weight 3 level 2."


def _after_is(wrong: Wrong) -> str:
    if wrong.back().keyword != "is":
        return ""
    name = wrong.back(2).text if wrong.back(2).kind in ("word", "text") else "x"
    after = wrong.after
    if wrong.word == "not":
        if after.lower() in ("known", "missing"):
            return f"Write {name} is {'missing' if after.lower() == 'known' else 'known'}."
        return f"Write {name} != {after or 'VALUE'}: {_IS}"
    if wrong.word in _GAPS:
        return f"Write {name} is missing."
    value = wrong.here.text if wrong.here.kind in ("word", "text") else "VALUE"
    return _WORDS.get(wrong.word) or f"Write {name} = {value}: {_IS}"


def _after_in(wrong: Wrong) -> str:
    if wrong.back().keyword == "of":
        return "What is counted stands in brackets: exactly 1 of (a, b, c)."
    if wrong.back().keyword == "in":
        return _BRACES
    return f"Write {wrong.back(2).text} != {wrong.here.text}." if wrong.accepted == {"_IN"} else ""


def _after_number(wrong: Wrong) -> str:
    if not _is_number(wrong.back()):
        return ""
    if wrong.here.text == ",":
        return "Decimals are written with a point, thousands without a comma: 4.5, 1000."
    if wrong.here.kind != "word" or wrong.here.keyword or wrong.here.text[0] in "+-":
        return ""
    if number_of(wrong.here.text) is not None:
        return "A number is written without spaces: 1000."
    return f"Numbers have no unit: leave {wrong.here.text[:40]!r} out. A product is written 2 * x."


def _of_mark(wrong: Wrong) -> str:
    if wrong.here.text == ")" and wrong.many(")") > wrong.many("("):
        return "No bracket is open that it could close."
    if wrong.here.text == "," and "_COMMA" in wrong.accepted:
        return ""
    return _MARKS.get(wrong.here.text, "")


def _of_signs(wrong: Wrong) -> str:
    signs = tuple(piece.text for piece in wrong.pieces[max(0, wrong.at - 2) : wrong.at + 1])
    if signs == ("<", "-", ">"):
        return "<-> is written iff."
    both = (wrong.back().text, wrong.here.text)
    if wrong.here.start == wrong.back().end and both in _SIGNS:
        return _SIGNS[both]
    return "One sign compares: = is enough." if {wrong.here.kind, wrong.back().kind} == {"operator"} else ""


def _of_word(wrong: Wrong) -> str:
    word, last = wrong.word, wrong.back().text.lower()
    if not word:
        return ""
    if wrong.here.text[0] in "+-":
        return "Put spaces around + and -."
    if word == "of" and last in _COUNTED:
        return f"Write {_COUNTED[last]}."
    if word == "because" and any(piece.keyword == "source" for piece in wrong.pieces):
        return "because stands before source."
    return _AFTER.get(last) or _WORDS.get(word, "")


def _of_names(wrong: Wrong) -> str:
    here, before = wrong.here, wrong.back()
    names = {before.kind, here.kind} <= {"word", "text"} and not before.keyword and not here.keyword
    if not names or "_AND" not in wrong.accepted:
        return ""
    both = f'"{before.text} {here.text}"' if {before.kind, here.kind} == {"word"} else "all of it"
    between = "between two conditions stands and, or, then."
    return f"A name of several words goes in quotes, {both[:80]}; {between}"


_ADVISERS = (
    _of_head,
    _after_is,
    _after_in,
    _after_number,
    _of_signs,
    _of_mark,
    _of_word,
    _of_names,
)


def _is_number(piece: Piece) -> bool:
    return piece.kind == "word" and number_of(piece.text) is not None
