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

import numpy as np

from ..errors import RuleError
from .clauses import clauses_of
from .files import text_of
from .normal import AtLeast, NormalForm

MOST_BYTES = 32 << 20
MOST_VARIABLES = 1_000_000
MOST_CLAUSES = 1_000_000
MOST_WEIGHT = 1 << 40  # a million of them add up within 64 bits
SUFFIXES = (".cnf", ".wcnf")
_NUMBER = re.compile(r"-?\d{1,19}", re.ASCII)
_NAMED = re.compile(r"c variable (\d{1,7}) (\S.{0,199})", re.ASCII)
_HEADER = "A header is `p cnf VARIABLES CLAUSES` or `p wcnf VARIABLES CLAUSES TOP`."
_HARD = -1  # weight of a clause that must hold

Token = tuple[str, int]  # a word and its line


@dataclass
class _Reading:
    """What is known of a file so far; the numbers of a header are 0 where it has none."""

    weighted: bool
    header: bool = False
    variables: int = 0
    clauses: int = 0
    top: int = 0
    names: dict[int, str] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)  # where a variable is named
    found: list[tuple[int, tuple[int, ...], int]] = field(default_factory=list)  # weight, literals, line


def read_dimacs(path: Path) -> NormalForm:
    """Return the rules of a .cnf or .wcnf file.

    Raises:
        RuleError: it is missing, too large or malformed; the sentence names the line.
    """
    text = text_of(path, MOST_BYTES, split="Split the rules.", save="Give a DIMACS file, not packed.")
    try:
        return parse_dimacs(text, weighted=path.suffix.lower() == ".wcnf")
    except RuleError as error:
        raise error.at(path.name) from None


def parse_dimacs(text: str, *, weighted: bool = False) -> NormalForm:
    """Return the rules of DIMACS text; `weighted` says what a text without a header is.

    Raises:
        RuleError: the text is malformed; `where` is the line.
    """
    reading = _Reading(weighted)
    tokens = _tokens(text, reading)
    for word, line in tokens:
        if not (reading.header or reading.weighted):
            raise RuleError(
                f"A clause stands before the header; got {word[:20]!r}.", where=_at(line), do=_HEADER
            )
        reading.found.append(_clause(word, line, tokens, reading))
        if len(reading.found) > (reading.clauses if reading.header else MOST_CLAUSES):
            promised = f"{reading.clauses:,}" if reading.header else f"at most {MOST_CLAUSES:,}"
            raise RuleError(f"There are more clauses than the {promised} expected.", where=_at(line))
    end = text.count("\n") + (not text.endswith("\n"))
    if not (reading.header or reading.found):
        raise RuleError("There is no header and no clause.", where=_at(max(end, 1)), do=_HEADER)
    if reading.header and len(reading.found) < reading.clauses:
        words = (
            f"The header promises {reading.clauses:,} clauses; the file ends after {len(reading.found):,}."
        )
        raise RuleError(words, where=_at(max(end, 1)))
    return _form(reading)


def dimacs_text(form: NormalForm) -> str:
    """Return `form` as CNF, or as WCNF (with a header) where something costs.

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
    head = f"p wcnf {hard.variables} {len(rows)} {top}" if soft else f"p cnf {hard.variables} {len(rows)}"
    lines = [" ".join(map(str, [w, *clause, 0] if soft else [*clause, 0])) for w, clause in rows]
    return "\n".join([*named, head, *lines]) + "\n"


# Inside, to read


def _tokens(text: str, reading: _Reading) -> Iterator[Token]:
    """Yield the words of all clauses; comments and the header go into `reading` on the way."""
    for line, row in enumerate(text.split("\n"), 1):
        words = row.split()
        if not words:
            continue
        if words[0] == "c":
            named = _NAMED.fullmatch(row.strip())
            if named:
                reading.names[int(named[1])], reading.lines[int(named[1])] = named[2], line
        elif words[0] == "p":
            _header(words, line, reading)
        elif words[0] == "%":  # ends the files of SATLIB
            return
        else:
            for word in words:
                yield word, line


def _header(words: list[str], line: int, reading: _Reading) -> None:
    if reading.header or reading.found:
        what = "a second header" if reading.header else "a header after the first clause"
        raise RuleError(f"This is {what}.", where=_at(line))
    if (
        len(words) < 2
        or words[1] not in ("cnf", "wcnf")
        or len(words) not in ((4,), (4, 5))[words[1] == "wcnf"]
    ):
        raise RuleError(f"This is no header: {' '.join(words)[:60]!r}.", where=_at(line), do=_HEADER)
    numbers = [_number(word, line, "a count of the header") for word in words[2:]]
    limits = (MOST_VARIABLES, MOST_CLAUSES, 2**63 - 1)
    for what, number, most in zip(("variables", "clauses", "as its top"), numbers, limits, strict=False):
        if not 0 <= number <= most:
            raise RuleError(f"The header says {number:,} {what}; 0 to {most:,} is read.", where=_at(line))
    reading.header, reading.weighted = True, words[1] == "wcnf"
    reading.variables, reading.clauses = numbers[:2]
    reading.top = numbers[2] if len(numbers) == 3 else 0


def _clause(
    word: str, line: int, tokens: Iterator[Token], reading: _Reading
) -> tuple[int, tuple[int, ...], int]:
    """Return the weight (_HARD or above 0), literals and line of the clause that begins with `word`."""
    weight = _HARD
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
            raise RuleError(words, where=_at(first[1]))
        literals[number] = None
        first = next(tokens, None)
    raise RuleError("The clause that begins here is not ended by 0.", where=_at(line))


def _weight(word: str, line: int, reading: _Reading) -> int:
    if word == "h" and not reading.header:
        return _HARD
    weight = _number(word, line, "a weight")
    if reading.top and weight >= reading.top:
        return _HARD
    if not 0 < weight <= MOST_WEIGHT:
        raise RuleError(f"A weight is 1 to {MOST_WEIGHT:,}; got {weight:,}.", where=_at(line))
    return weight


def _number(word: str, line: int, what: str) -> int:
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
        if any(-x in literals for x in literals if x > 0):
            continue  # it always holds
        if weight == _HARD:
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
