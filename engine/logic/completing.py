"""What an editor of rules asks: which pieces a text has, to colour them, and what may be written next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Literal

from ..errors import RuleError
from .durations import UNITS, duration_of, unit_of
from .forms import CALLS
from .functions import FUNCTIONS
from .grammar import Feeder
from .lexicon import Piece, beginnings, begun, pieces, quoted, unquoted, written
from .sequences.templates import Slot, Template, find_template
from .vocabulary import CLASS, Variable, Vocabulary, number_of, some

Colour = Literal[
    "comment",
    "text",
    "open text",
    "number",
    "keyword",
    "form",
    "title",
    "name",
    "operator",
    "mark",
    "strange",
]
Offer = Literal["value", "name", "event", "keyword", "form"]
MOST_OFFERED = 200
_MOST_VALUES = 100  # of one variable that are offered
_MOST_WORDS = 4  # of the name of a form


@dataclass(frozen=True)
class Span:
    """One piece of a text: what it is, and from where to where it stands, in characters from 0."""

    kind: Colour
    start: int
    end: int


@dataclass(frozen=True)
class Completion:
    """Something that may be written next.

    Attributes:
        text: what is put in, quotes included where it needs them.
        start: from where it replaces what is typed, up to the position asked for.
        kind: what it is.
        help: one line on it.
        example: how it is used, or "".
    """

    text: str
    start: int
    kind: Offer
    help: str = ""
    example: str = ""


# What the parser accepts -> what is written there, with help and an example.
KEYWORDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "RULE": (("rule", "Begins a rule; its name and a colon follow.", "rule NAME: if a then b"),),
    "_BECAUSE": (("because", "The reason, shown wherever the rule is broken.", 'a because "of this"'),),
    "_SOURCE": (("source", "Where the rule comes from.", 'a source "Guideline 2021"'),),
    "_IF": (("if", "Begins a condition; then follows.", "if a then b"),),
    "_THEN": (("then", "What holds where the condition does.", "if a then b"),),
    "_ELSE": (("else", "What holds where the condition does not.", "if a then b else c"),),
    "_IFF": (("iff", "Both hold or neither does.", "a iff b"),),
    "_IMPLIES": (("implies", "The right holds wherever the left does.", "a implies b"),),
    "_OR": (("or", "At least one holds.", "a or b"),),
    "_XOR": (("xor", "Exactly one of the two holds.", "a xor b"),),
    "_AND": (("and", "Both hold.", "a and b"),),
    "_NOT": (("not", "The opposite.", "not a"),),
    "_BEFORE": (("before", "The right needs the left first.", "a and b before c"),),
    "_OF": (("of", "What is counted follows in brackets.", "exactly 2 of (a, b, c)"),),
    "_IN": (
        ("in", "One of several values, or a range.", "x in {a, b}"),
        ("not in", "None of several values, or outside a range.", "x not in {a, b}"),
    ),
    "_IS": (
        ("is known", "The record has the fact.", "x is known"),
        ("is missing", "The record lacks the fact.", "x is missing"),
    ),
    "_KNOWN": (("known", "The record has the fact.", "x is known"),),
    "_MISSING": (("missing", "The record lacks the fact.", "x is missing"),),
    "EXACTLY": (("exactly", "So many of them hold.", "exactly 2 of (a, b, c)"),),
    "AT": (
        ("at most", "No more of them hold.", "at most 1 of (a, b, c)"),
        ("at least", "No fewer of them hold.", "at least 2 of (a, b, c)"),
    ),
    "MOST": (("most", "No more of them hold.", "at most 1 of (a, b, c)"),),
    "LEAST": (("least", "No fewer of them hold.", "at least 2 of (a, b, c)"),),
    "CLASS": (("class", "The answer.", "class = NAME"),),
}
HEAD = (
    ("weight", "What it costs to break the rule, which makes it a soft one.", "rule NAME weight 3: a"),
    ("level", "A rule of a higher level outweighs all of lower ones.", "rule NAME weight 3 level 2: a"),
)


def tokens(text: str) -> tuple[Span, ...]:
    """Return the pieces of any text in order, right or wrong; what lies between them is space."""
    found = list(pieces(text))
    names = _form_names(found)
    spans: list[Span] = []
    head = False
    for at, piece in enumerate(found):
        if piece.keyword == "rule":
            head = True
        elif piece.text == ":":
            head = False
        kind: Colour = "form" if at in names else _colour(found, at, head=head)
        spans.append(Span(kind, piece.start, piece.end))
    return tuple(spans)


def completions(text: str, position: int, vocabulary: Vocabulary) -> tuple[Completion, ...]:
    """Return what may be written at `position` of a text, the likeliest first.

    What is typed already, from the start of a word to `position`, begins what is offered, or stands in it.

    Args:
        text: the whole text; what stands after `position` does not matter.
        position: in characters from 0.
        vocabulary: what rules may speak of.
    """
    begins = [begin for begin in beginnings(text[:position]) if begin + len("rule") < position]
    first = begins[-1] if begins else 0
    found = [piece._replace(start=piece.start + first) for piece in pieces(text[first:position])]
    typed, start = "", position
    if found and found[-1].end == position and found[-1].kind in ("word", "open text", "range"):
        last = found.pop()
        typed, start = last.text.removeprefix('"'), last.start
    elif found and found[-1].kind == "comment" and "\n" not in text[found[-1].end : position]:
        return ()
    here = [piece for piece in found if piece.kind != "comment"]
    offers = _in_quotes(here, vocabulary, start) if text[start : start + 1] == '"' else None
    if offers is None:
        offers = _offered(here, vocabulary, start, typed)
    return tuple(_matching(offers, typed))[:MOST_OFFERED]


# What colour a piece has


def _colour(found: Sequence[Piece], at: int, *, head: bool) -> Colour:
    piece = found[at]
    match piece.kind:
        case "word":
            return _colour_of_word(found, at, head=head)
        case "range":
            return "number"
        case "tolerance":
            return "operator"
        case "text":
            return "title" if head else "text"
        case "mark":
            return "operator" if piece.text in "+-*/×" else "mark"
    return piece.kind


def _colour_of_word(found: Sequence[Piece], at: int, *, head: bool) -> Colour:
    piece = found[at]
    if piece.keyword == "rule":
        return "keyword"
    if number_of(piece.text) is not None or _is_time(found, at):
        return "number"
    if head:
        return "keyword" if _is_option(found, at) else "title"
    return "keyword" if piece.keyword or begun(found, at) else "name"


def _is_time(found: Sequence[Piece], at: int) -> bool:
    """Whether a word is a length of time, as 3h, or the unit of one in a call, as in `, 3 days`."""
    text = found[at].text
    digits = text.rstrip(ascii_letters)
    if digits and duration_of(digits, text[len(digits) :]) is not None:
        return at > 0 and found[at - 1].kind == "word"
    if unit_of(text) is None or at < 2 or number_of(found[at - 1].text) is None:
        return False
    return found[at - 2].text == "," or (found[at - 2].kind == "word" and found[at - 3].text == ",")


def _is_option(found: Sequence[Piece], at: int) -> bool:
    follows = found[at + 1].text if at + 1 < len(found) else ""
    return found[at].text.lower() in ("weight", "level") and number_of(follows) is not None


def _form_names(found: Sequence[Piece]) -> set[int]:
    """Return which pieces are words of the name of a form."""
    named: set[int] = set()
    for at, piece in enumerate(found):
        if piece.text == "(":
            named.update(range(at - _name_before(found, at)[1], at))
    return named


def _name_before(found: Sequence[Piece], bracket: int) -> tuple[str, int]:
    """Return the longest name of a form that ends before a bracket, and of how many pieces it is."""
    name, longest = "", ("", 0)
    for many, piece in enumerate(reversed(found[max(0, bracket - _MOST_WORDS) : bracket]), 1):
        if piece.kind != "word":
            break
        name = f"{piece.text.lower().replace('_', ' ')} {name}".strip()
        longest = (name, many) if name in CALLS else longest
    return longest


# What may come next


def _offered(here: list[Piece], vocabulary: Vocabulary, start: int, typed: str) -> Iterator[Completion]:
    if here and not any(piece.text == ":" for piece in here):
        if len(here) > 1:
            yield from (Completion(word, start, "keyword", *more) for word, *more in HEAD)
        return
    feeder = Feeder(here)
    try:
        feeder.feed()
    except RuleError:
        return
    accepted = feeder.accepted()
    if "WORD" in accepted:
        yield from _names(here, vocabulary, start)
    value = bool(here) and (here[-1].kind == "operator" or _before_unit(here))
    if not value:
        yield from _keywords(accepted, vocabulary, start, capitals=typed.isupper())
    if "CALL" in accepted:
        subject = _subject_before(here, vocabulary)
        if subject is None or subject.kind in ("integer", "number"):
            yield from (c for name, c in _forms(vocabulary, start) if not value or name in FUNCTIONS)


def _keywords(
    accepted: set[str], vocabulary: Vocabulary, start: int, *, capitals: bool
) -> Iterator[Completion]:
    if "$END" in accepted:
        accepted = accepted | {"RULE"}
    for accepts, offers in KEYWORDS.items():
        if accepts in accepted and (accepts != "CLASS" or CLASS in vocabulary.decided_numbers):
            for word, help, example in offers:
                text = word.upper() if capitals and accepts != "CLASS" else word
                yield Completion(text, start, "keyword", help, example)


def _forms(vocabulary: Vocabulary, start: int) -> Iterator[tuple[str, Completion]]:
    """Yield the first name of every form that is a call and may be of use, and the offer."""
    seen: set[str] = set()
    for name, entry in CALLS.items():
        if entry.key not in seen and (vocabulary.sequences or find_template(name) is None):
            seen.add(entry.key)
            yield name, Completion(f"{name}(", start, "form", entry.help, entry.example)


def _names(here: Sequence[Piece], vocabulary: Vocabulary, start: int) -> Iterator[Completion]:
    subject = _subject_before(here, vocabulary)
    if subject is not None:
        yield from _values(subject, start)
        if here[-1].kind != "operator" or subject.kind in ("category", "flag"):
            return
    within = _call_around(here)
    events = (
        Completion(written(e), start, "event", f"An event of {s.name}.") for s, e in _events(vocabulary)
    )
    template = find_template(within) if within is not None else None
    if template is not None:
        yield from _in_template(here, template, start, events)
        return
    for variable in vocabulary.variables:
        if variable.kind != "events" and variable.name != CLASS:
            yield Completion(written(variable.name), start, "name", _help(variable))
    yield from events


def _before_unit(here: Sequence[Piece]) -> bool:
    """Whether a number of a template comes next, or its unit."""
    around = _call_around(here)
    template = find_template(around) if around else None
    if template is None or here[-1].kind != "word":
        return False
    return number_of(here[-1].text) is not None or here[-1].text.lower() in _words_of(template)


def _words_of(template: Template) -> set[str]:
    return {slot.name for slot in template.slots if slot.keyword}


def _in_template(
    here: Sequence[Piece], template: Template, start: int, events: Iterable[Completion]
) -> Iterator[Completion]:
    """Yield what may stand in the brackets of a template: events, words before numbers, units after them."""
    last = here[-1].text
    if here[-1].kind == "word" and number_of(last) is not None:
        if template.windows:
            yield from (Completion(u, start, "keyword", "A unit of time.", f"3 {u}") for u in UNITS)
        return
    if here[-1].kind == "word" and last.lower() in _words_of(template):
        return
    yield from events
    if last == ",":
        for slot in template.slots:
            if slot.keyword:
                yield Completion(slot.name, start, "keyword", _help_of(slot), template.example)


def _help_of(slot: Slot) -> str:
    return "So many steps follow, or a time: 3 days." if slot.window else "A number follows."


def _values(variable: Variable, start: int) -> Iterator[Completion]:
    names = variable.column.categories if variable.given else variable.names
    for name in names[:_MOST_VALUES]:
        yield Completion(written(name), start, "value", f"A value of {variable.name}.")


def _events(vocabulary: Vocabulary) -> Iterator[tuple[Variable, str]]:
    return ((sequence, event) for sequence in vocabulary.sequences for event in sequence.values)


def _subject_before(here: Sequence[Piece], vocabulary: Vocabulary) -> Variable | None:
    """Return the variable whose value comes next: after `x =`, or in the braces of `x in {`."""
    at = len(here) - 1
    if at > 0 and here[at].kind == "operator":
        return _variable(here[at - 1], vocabulary)
    while at > 0 and (here[at].text == "," or here[at - 1].text in (",", "{")) and here[at].text != "{":
        at -= 1
    if at < 2 or here[at].text != "{" or here[at - 1].keyword != "in":
        return None
    before = here[at - 2]
    return _variable(here[at - 3] if before.keyword == "not" and at > 2 else before, vocabulary)


def _variable(piece: Piece, vocabulary: Vocabulary) -> Variable | None:
    if piece.keyword == "class":
        number = vocabulary.decided_numbers.get(CLASS)
        return None if number is None else vocabulary.decided[number]
    if piece.kind not in ("word", "text"):
        return None
    name = unquoted(piece.text) if piece.kind == "text" else piece.text
    return next((v for v in vocabulary.variables if v.name == name and v.kind != "events"), None)


def _call_around(here: Sequence[Piece]) -> str | None:
    """Return the name of the form in whose brackets a text ends."""
    depth = 0
    for at in range(len(here) - 1, 0, -1):
        depth += (here[at].text == ")") - (here[at].text == "(")
        if depth < 0:
            return _name_before(here, at)[0] or None
    return None


def _in_quotes(here: Sequence[Piece], vocabulary: Vocabulary, start: int) -> Iterator[Completion] | None:
    """Return names and values in quotes; None before the colon of a rule."""
    if not any(piece.text == ":" for piece in here):
        return None
    texts = (unquoted(o.text) if o.text.startswith('"') else o.text for o in _names(here, vocabulary, start))
    return (Completion(quoted(text), start, "name") for text in texts)


def _matching(offers: Iterable[Completion], typed: str) -> list[Completion]:
    low = typed.lower()
    begin: list[Completion] = []
    inside: list[Completion] = []
    for offer in offers:
        plain = offer.text.removeprefix('"').lower()
        if plain.startswith(low):
            begin.append(offer)
        elif low and low in plain:
            inside.append(offer)
    return begin + inside


def _help(variable: Variable) -> str:
    who = "A fact" if variable.given else "Decided"
    names = variable.column.categories if variable.given else variable.names
    what = (
        f"one of {some(names)}" if names else ("a whole number" if variable.kind == "integer" else "a number")
    )
    if variable.kind == "flag":
        what = "yes or no"
    unit = f" in {variable.unit}" if variable.unit else ""
    return f"{who}, {what}{unit}." + (f" {variable.text}" if variable.text else "")
