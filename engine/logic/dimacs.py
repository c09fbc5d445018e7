"""Rule sets as DIMACS files: CNF, and WCNF with or without a header (MaxSAT Evaluation 2022).

Every clause is a rule, named after its place. A soft clause of weight w becomes a hard one with a way out:
one more literal, the negation of a variable `kept` that costs w to be false. Names of variables stand in
comments of our own, `c variable 3 fever`, that other programs skip.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import RuleError
from ..kernels.clause_words import HARD, MOST_WEIGHT, read_clauses
from .clauses import clauses_of
from .files import text_of
from .normal import AtLeast, NormalForm
from .unswept import unswept

MOST_BYTES = 32 << 20
MOST_VARIABLES = 1_000_000
MOST_CLAUSES = 1_000_000
SUFFIXES = (".cnf", ".wcnf")
_NUMBER = re.compile(r"-?\d{1,19}", re.ASCII)
_LONG = re.compile(r"-?\d{20,}", re.ASCII)
_NAMED = re.compile(r"c variable (\d{1,7}) (\S.{0,199})", re.ASCII)
_NAMING = "c variable "
_HEADER = "A header is `p cnf VARIABLES CLAUSES` or `p wcnf VARIABLES CLAUSES TOP`."
_WEIGHT = "Weigh the clause, or leave it out."
_MOST_WORDS = 20_000  # characters that are read word by word sooner than a kernel is loaded

Token = tuple[str, int]  # a word and its line


class _Rest(NamedTuple):
    """What is left to be read: its text, the number of its first line, and whether all of that is there."""

    text: str
    line: int = 1
    fresh: bool = True


@dataclass
class _Reading:
    """What is known of a file so far; the numbers of a header are 0 where it has none."""

    weighted: bool
    header: bool = False
    variables: int = 0
    clauses: int = 0
    top: int = 0
    end: int = 0  # the line of a `%`
    names: dict[int, str] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)  # where a variable is named
    found: list[tuple[int, tuple[int, ...], int]] = field(default_factory=list)  # weight, literals, line

    def name(self, row: str, line: int) -> None:
        """Take the name of a variable from a comment, if it gives one."""
        named = _NAMED.fullmatch(row.strip())
        if named and "\N{REPLACEMENT CHARACTER}" in named[2]:
            raise RuleError("The name in this comment is no UTF-8 text.", where=_at(line), do="Save it so.")
        if named:
            self.names[int(named[1])], self.lines[int(named[1])] = named[2], line


def read_dimacs(path: Path) -> NormalForm:
    """Return the rules of a .cnf or .wcnf file.

    Raises:
        RuleError: it is missing, too large or malformed; the sentence names the line.
    """
    save = "Give a DIMACS file, not packed."
    text = text_of(path, MOST_BYTES, split="Split the rules.", save=save, encoding="utf-8-sig", lenient=True)
    try:
        return parse_dimacs(text, weighted=path.suffix.lower() == ".wcnf")
    except RuleError as error:
        raise error.at(path.name) from None


def parse_dimacs(text: str, *, weighted: bool = False) -> NormalForm:
    """Return the rules of DIMACS text; `weighted` says what a text without a header is.

    Raises:
        RuleError: the text is malformed; `where` is the line.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    reading = _Reading(weighted)
    with unswept():
        _worded(_plain(text, reading) if len(text) > _MOST_WORDS else _Rest(text), reading)
        _check_whole(reading, text)
        return _form(reading)


def dimacs_text(form: NormalForm, *, weighted: bool = False) -> str:
    """Return `form` as CNF, or as WCNF (with a header) where something costs or `weighted` asks for it.

    Counts and weighted sums become clauses with helpers that follow the variables. A variable `kept` that
    only lets go of one clause becomes that clause's weight again.

    Raises:
        RuleError: a weighted sum needs too many clauses.
    """
    let_go = _ways_out(form)
    count = len(form.variables) - len(let_go)
    hard = clauses_of([c for c in form.constraints if not _kept_of(c, let_go)], count)
    soft: list[tuple[int, list[int]]] = []
    for c in form.constraints:
        kept = _kept_of(c, let_go)
        if kept:
            soft.append((int(form.costs[kept - 1]), [x for x in c.literals if x != -kept]))
    costing = [v for v in range(1, count + 1) if form.costs[v - 1] > 0]
    soft += [(int(form.costs[v - 1]), [v if form.defaults[v - 1] else -v]) for v in costing]
    named = [f"c variable {v} {name}" for v, name in enumerate(form.variables[:count], 1) if name != f"x{v}"]
    top = sum(w for w, _ in soft) + 1
    rows = [*((top, clause) for clause in hard.clauses), *soft]
    weighted = weighted or bool(soft)
    kind, last = ("wcnf", [top]) if weighted else ("cnf", [])
    head = " ".join(map(str, ["p", kind, hard.variables, len(rows), *last]))
    lines = [" ".join(map(str, [w, *clause, 0] if weighted else [*clause, 0])) for w, clause in rows]
    return "\n".join([*named, head, *lines]) + "\n"


# Inside, to read


def _plain(text: str, reading: _Reading) -> _Rest:
    """Read what is plain of a long text by a kernel; return the rest."""
    at, line = 0, 1
    if _NAMING in text:
        return _Rest(text)
    while not reading.header:
        end = text.find("\n", at)
        words = text[at:end].split()
        if end < 0 or (words and words[0][0] not in "cp"):
            break
        if words and words[0] == "p":
            _header(words, line, reading)
        elif words and words[0][0] == "p":
            break
        at, line = end + 1, line + 1
    if not (reading.header or reading.weighted):
        return _Rest(text)
    return _filled(text[at:].encode(), line, reading)


def _filled(body: bytes, line: int, reading: _Reading) -> _Rest:
    """Read clauses up to the first that is not plain; return the rest."""
    most = reading.variables if reading.header else MOST_VARIABLES
    room = min(reading.clauses if reading.header else MOST_CLAUSES, len(body) // 2 + 1)
    head = np.array([line, reading.weighted, reading.top, reading.header], np.int64)
    weights, (ends, lines) = np.empty(room, np.int64), np.empty((2, room), np.int32)
    literals, stop = np.empty(len(body) // 2 + 1, np.int32), np.empty(3, np.int64)
    seen = np.zeros(2 * most + 1, np.int32)
    text = np.frombuffer(body, np.uint8)
    count = read_clauses(text, head, seen, weights, ends, lines, literals, stop)
    if stop[2]:
        raise _endless(int(stop[1]))
    flat, last = literals[: ends[count - 1] if count else 0].tolist(), 0
    columns = (weights[:count].tolist(), ends[:count].tolist(), lines[:count].tolist())
    for weight, end, at in zip(*columns, strict=True):
        reading.found.append((weight, tuple(flat[last:end]), at))
        last = end
    begin, end = body.rfind(b"\n", 0, stop[0]) + 1, int(stop[0])
    return _Rest(body[end:].decode(), int(stop[1]), not body[begin:end].strip())


def _worded(rest: _Rest, reading: _Reading) -> None:
    """Read word by word, which finds whatever is wrong."""
    tokens = _tokens(rest, reading)
    for word, line in tokens:
        if not (reading.header or reading.weighted):
            words = f"A clause stands before the header; got {word[:20]!r}."
            raise RuleError(words, where=_at(line), do=_HEADER)
        reading.found.append(_clause(word, line, tokens, reading))
        if len(reading.found) > (reading.clauses if reading.header else MOST_CLAUSES):
            promised = f"{reading.clauses:,}" if reading.header else f"at most {MOST_CLAUSES:,}"
            do = "Correct the header." if reading.header else "Split the rules."
            raise RuleError(f"There are more clauses than the {promised} expected.", where=_at(line), do=do)


def _check_whole(reading: _Reading, text: str) -> None:
    """Refuse a text that ends too soon."""
    end = reading.end or max(text.count("\n") + (not text.endswith("\n")), 1)
    if not (reading.header or reading.found):
        raise RuleError("There is no header and no clause.", where=_at(end), do=_HEADER)
    found = len(reading.found)
    if reading.header and found < reading.clauses:
        words = f"The header promises {reading.clauses:,} clauses; the file ends after {found:,}."
        raise RuleError(words, where=_at(end), do="Correct the header, or add what is missing.")


def _tokens(rest: _Rest, reading: _Reading) -> Iterator[Token]:
    """Yield the words of all clauses; comments and the header go into `reading` on the way."""
    for line, row in enumerate(rest.text.split("\n"), rest.line):
        words = row.split()
        if not words:
            continue
        if line == rest.line and not rest.fresh:
            yield from ((word, line) for word in words)
        elif words[0][0] == "c":
            reading.name(row, line)
        elif words[0] == "p":
            _header(words, line, reading)
        elif words[0] == "%":  # ends the files of SATLIB
            reading.end = line
            return
        else:
            for word in words:
                yield word, line


def _header(words: list[str], line: int, reading: _Reading) -> None:
    if reading.header or reading.found:
        what = "a second header" if reading.header else "a header after the first clause"
        do = "Leave it out." if reading.header else "Put it before all clauses."
        raise RuleError(f"This is {what}.", where=_at(line), do=do)
    if (
        len(words) < 2
        or words[1] not in ("cnf", "wcnf")
        or len(words) not in ((4,), (4, 5))[words[1] == "wcnf"]
    ):
        raise RuleError(f"This is no header: {' '.join(words)[:60]!r}.", where=_at(line), do=_HEADER)
    numbers = [_number(word, line, "a number of the header") for word in words[2:]]
    limits = ((0, MOST_VARIABLES), (0, MOST_CLAUSES), (1, 2**63 - 1))
    for what, number, (least, most) in zip(
        ("variables", "clauses", "as its top"), numbers, limits, strict=False
    ):
        if not least <= number <= most:
            said = f"The header says {number:,} {what}; {least} to {most:,} is read."
            raise RuleError(said, where=_at(line), do=_HEADER)
    reading.header, reading.weighted = True, words[1] == "wcnf"
    reading.variables, reading.clauses = numbers[:2]
    reading.top = numbers[2] if len(numbers) == 3 else 0


def _clause(
    word: str, line: int, tokens: Iterator[Token], reading: _Reading
) -> tuple[int, tuple[int, ...], int]:
    """Return the weight (HARD or above 0), literals and line of the clause that begins with `word`."""
    weight = HARD
    first: Token | None = (word, line)
    if reading.weighted:
        weight = _weight(word, line, reading)
        first = next(tokens, None)
    literals: dict[int, None] = {}  # an ordered set: a literal said twice counts once
    while first is not None:
        number = _number(first[0], first[1], "a literal")
        if number == 0:
            if first[0] != "0":
                raise RuleError(f"{first[0]!r} is no literal.", where=_at(first[1]))
            return weight, tuple(literals), line
        most = reading.variables if reading.header else MOST_VARIABLES
        if abs(number) > most:
            words = f"The literal {number} is of no variable: there are {most:,}."
            do = "Correct the header, or the literal." if reading.header else "Number the variables from 1."
            raise RuleError(words, where=_at(first[1]), do=do)
        literals[number] = None
        first = next(tokens, None)
    raise _endless(line)


def _endless(line: int) -> RuleError:
    words = "The clause that begins here is not ended by 0."
    return RuleError(words, where=_at(line), do="End every clause with 0.")


def _weight(word: str, line: int, reading: _Reading) -> int:
    if word == "h":
        if not reading.header:
            return HARD
        do = "Write the top of the header as its weight, or leave out the header."
        raise RuleError("'h' stands only where there is no header.", where=_at(line), do=do)
    weight = _number(word, line, "a weight")
    if reading.top and weight > reading.top:
        words = (
            f"The weight {weight:,} is above the top of the header, {reading.top:,}, that marks hard clauses."
        )
        raise RuleError(words, where=_at(line), do="Raise the top above all weights together.")
    if reading.top and weight == reading.top:
        return HARD
    if not 0 < weight <= MOST_WEIGHT:
        raise RuleError(f"A weight is 1 to {MOST_WEIGHT:,}; got {weight:,}.", where=_at(line), do=_WEIGHT)
    return weight


def _number(word: str, line: int, what: str) -> int:
    if _LONG.fullmatch(word):
        words = f"{word[:20]}... has {len(word.lstrip('-')):,} digits: {what} has at most 19."
        raise RuleError(words, where=_at(line), do="Write a smaller number.")
    if not _NUMBER.fullmatch(word):
        raise RuleError(f"{word[:20]!r} is not {what}.", where=_at(line), do="Write a whole number.")
    return int(word)


def _at(line: int) -> str:
    return f"line {line}"


def _form(reading: _Reading) -> NormalForm:
    count = reading.variables
    if not reading.header:
        count = max((abs(x) for _, literals, _ in reading.found for x in literals), default=0)
    names = [reading.names.get(v, f"x{v}") for v in range(1, count + 1)]
    _check_names(names, reading)
    constraints: list[AtLeast] = []
    rules: list[str] = []
    weights: list[int] = []
    for weight, literals, line in reading.found:
        rule = len(rules)
        rules.append(f"clause {rule + 1} (line {line})")
        if len({*map(abs, literals)}) < len(literals):
            continue  # it always holds
        if weight == HARD:
            constraints.append(AtLeast(literals, 1, rule=rule))
            continue
        weights.append(weight)
        names.append(f"kept: {rules[rule]}")
        constraints.append(AtLeast((*literals, -len(names)), 1, rule=rule))
    defaults = np.arange(len(names)) >= count
    costs = np.concatenate([np.zeros(count, np.int64), np.array(weights, np.int64)])
    return NormalForm(tuple(names), 0, tuple(constraints), tuple(rules), defaults, costs)


def _check_names(names: list[str], reading: _Reading) -> None:
    """Refuse two variables of one name: scores are found by it."""
    if len(set(names)) < len(names):
        again = {name for name, times in Counter(names).items() if times > 1}
        named = ((reading.lines[v], n) for v, n in enumerate(names, 1) if v in reading.lines)
        line, name = max(pair for pair in named if pair[1] in again)
        raise RuleError(f"Two variables are named {name[:60]!r}.", where=_at(line), do="Name them apart.")


# Inside, to write


def _ways_out(form: NormalForm) -> set[int]:
    """Return the last variables that do nothing but let go of one clause each."""
    uses: dict[int, list[AtLeast]] = {}
    for c in form.constraints:
        for x in c.literals:
            uses.setdefault(abs(x), []).append(c)
    found: set[int] = set()
    for v in range(len(form.variables), form.given, -1):
        places = uses.get(v, [])
        alone = len(places) == 1 and places[0].clause and places[0].literals[-1] == -v
        if not (alone and form.defaults[v - 1] and form.costs[v - 1] > 0):
            break
        found.add(v)
    return found


def _kept_of(constraint: AtLeast, let_go: set[int]) -> int:
    """Return the variable that lets go of `constraint`, or 0."""
    last = -constraint.literals[-1] if constraint.literals else 0
    return last if last in let_go else 0
