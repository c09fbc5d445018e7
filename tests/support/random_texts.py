"""Random rules as texts, each with a meaning of its own: plain Python over three truth values.

Nothing here knows how rules are read, bound or lowered: a rule is a text and a function from a record, a
dictionary of values with None for a gap, to True, False or None for open.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from engine.logic.vocabulary import Variable, Vocabulary

Value = bool | str | Fraction | None
Record = dict[str, Value]
Meaning = Callable[[Record], bool | None]
Said = tuple[str, Meaning]

GIVEN = (
    Variable("x", "number", given=True),
    Variable("w", "number", given=True),
    Variable("h", "flag", given=True),
    Variable("grade", "category", given=True, values=("low", "mid", "high")),
)
DECIDED = (
    Variable("p"),
    Variable("q"),
    Variable("k"),
    Variable("colour", "category", values=("red", "blue", "high")),
    Variable("only", "category", values=("one",)),
    Variable("n", "integer", least=0, most=3),
    Variable("m", "integer", least=-1, most=2),
    Variable("c", "number", least=0, most=1, step=0.5),
)
MOST = 60  # answers of one record


@dataclass(frozen=True)
class Drawn:
    """A rule as drawn: its text, what it means, its weight (None: hard) and level."""

    text: str
    meaning: Meaning
    weight: float | None
    level: int


def values_of(variable: Variable) -> list[Value]:
    """Return the values of a variable in their order."""
    if variable.kind == "flag":
        return [False, True]
    if variable.kind == "category":
        return list(variable.values)
    least, step = Fraction(str(variable.least)), Fraction(str(variable.step or 1))
    count = int((Fraction(str(variable.most)) - least) / step)
    return [least + i * step for i in range(count + 1)]


def drawn_vocabulary(rng: random.Random, classes: int = 0) -> Vocabulary:
    """Return some facts and some variables to decide; with `classes` one of them is the class."""
    given = [v for v in GIVEN if rng.random() < 0.7]
    decided = []
    if classes:
        decided.append(Variable("class", "category", values=tuple(f"c{i}" for i in range(classes))))
    answers = max(classes, 1)
    for variable in rng.sample(DECIDED, len(DECIDED)):
        many = len(values_of(variable))
        if answers * many <= MOST and rng.random() < (0.3 if classes else 0.7):
            decided.append(variable)
            answers *= many
    rng.shuffle(decided)
    return Vocabulary((*given, *(decided or DECIDED[:1])))


class Texts:
    """Draws rules over one vocabulary."""

    def __init__(self, rng: random.Random, vocabulary: Vocabulary) -> None:
        self.rng, self.every = rng, vocabulary.variables
        self.listed = [v for v in self.every if not (v.given and v.kind == "number")]
        self.flags = [v for v in self.every if v.kind == "flag"]
        self.numbers = [v for v in self.every if v.kind in ("integer", "number")]

    def rules(self) -> list[Drawn]:
        """Return a few rules, some of them soft."""
        return [self._rule(i) for i in range(self.rng.choice((0, 1, 1, 2, 3, 4)))]

    def _rule(self, number: int) -> Drawn:
        text, meaning = self.formula(self.rng.choice((0, 1, 1, 2, 3)))
        if self.rng.random() < 0.65:
            return Drawn(f"rule r{number}: {text}", meaning, None, 1)
        weight, level = self.rng.choice((0.5, 1.0, 3.25, 0.001)), self.rng.choice((1, 1, 2, 3))
        return Drawn(f"rule r{number} weight {weight} level {level}: {text}", meaning, weight, level)

    def formula(self, depth: int) -> Said:
        """Return a condition nested at most `depth` deep."""
        if depth == 0 or self.rng.random() < 0.2:
            return self.atom()
        parts = [self.formula(depth - 1) for _ in range(self.rng.randint(2, 3))]
        return self.rng.choice((_not, _and, _or, _implies, _iff, _xor, _if, self._count))(parts)

    def atom(self) -> Said:
        """Return a condition without parts."""
        kinds = (self._flag, self._equal, self._set, self._limit, self._sum, self._known, self._table)
        while True:
            found = self.rng.choice(kinds)()
            if found:
                return found

    def _flag(self) -> Said | None:
        if not self.flags:
            return None
        name = self.rng.choice(self.flags).name
        return name, lambda r: r[name]  # type: ignore[return-value]

    def _equal(self) -> Said | None:
        if not self.listed:
            return None
        variable = self.rng.choice(self.listed)
        value, name = self.rng.choice(values_of(variable)), variable.name
        if self.rng.random() < 0.5:
            return f"{name} = {_word(value)}", lambda r: None if r[name] is None else r[name] == value
        return f"{name} != {_word(value)}", lambda r: None if r[name] is None else r[name] != value

    def _set(self) -> Said | None:
        if not self.listed:
            return None
        variable = self.rng.choice(self.listed)
        every, name = values_of(variable), variable.name
        some = self.rng.sample(every, self.rng.randint(1, len(every)))
        text = ", ".join(map(_word, some))
        if self.rng.random() < 0.5:
            return f"{name} in {{{text}}}", lambda r: None if r[name] is None else r[name] in some
        return f"{name} not in {{{text}}}", lambda r: None if r[name] is None else r[name] not in some

    def _limit(self) -> Said | None:
        if not self.numbers:
            return None
        name, limit = self.rng.choice(self.numbers).name, self.rng.choice(_LIMITS)
        sign = self.rng.choice(list(_SIGNS))
        return f"{name} {sign} {float(limit):g}", lambda r: _compared(sign, r[name], limit)

    def _sum(self) -> Said | None:
        countable = [*self.numbers, *self.flags]
        if len(countable) < 2:
            return None
        parts = [(v.name, self.rng.choice((1, 1, 2, -1))) for v in self.rng.sample(countable, 2)]
        limit, sign = self.rng.choice(_LIMITS), self.rng.choice(list(_SIGNS))
        (a, one), (b, other) = parts

        def total(r: Record) -> Fraction | None:
            if r[a] is None or r[b] is None:
                return None
            return one * Fraction(r[a]) + other * Fraction(r[b])  # type: ignore[arg-type]

        text = f"{one} * {a} {'+' if other > 0 else '-'} {abs(other)} * {b} {sign} {float(limit):g}"
        return text.replace("-1 * ", "- 1 * "), lambda r: _compared(sign, total(r), limit)

    def _known(self) -> Said | None:
        given = [v for v in self.every if v.given]
        if not given:
            return None
        name = self.rng.choice(given).name
        if self.rng.random() < 0.5:
            return f"{name} is known", lambda r: r[name] is not None
        return f"{name} is missing", lambda r: r[name] is None

    def _table(self) -> Said | None:
        if not self.listed:
            return None
        columns = self.rng.sample(self.listed, min(len(self.listed), self.rng.randint(1, 2)))
        rows = [
            [(v.name, self.rng.choice([*values_of(v), "-"])) for v in columns]
            for _ in range(self.rng.randint(1, 3))
        ]
        cells = ", ".join(f"({', '.join(_word(value) for _, value in row)})" for row in rows)
        text = f"table({', '.join(v.name for v in columns)}){{{cells}}}"

        def fits(record: Record, row: list[tuple[str, Value]]) -> bool | None:
            cells = [
                True if value == "-" else None if record[name] is None else record[name] == value
                for name, value in row
            ]
            return _all(cells)

        return text, lambda r: _any([fits(r, row) for row in rows])

    def _count(self, parts: list[Said]) -> Said:
        words, number = self.rng.choice(("exactly", "at least", "at most")), self.rng.randint(0, len(parts))

        def meaning(record: Record) -> bool | None:
            held = [part(record) for _, part in parts]
            least, open_ = held.count(True), held.count(None)
            enough = least >= number or (None if least + open_ >= number else False)
            few = least + open_ <= number or (None if least <= number else False)
            return {"at least": enough, "at most": few, "exactly": _all([enough, few])}[words]

        return f"{words} {number} of ({', '.join(text for text, _ in parts)})", meaning


_LIMITS = tuple(Fraction(n, 2) for n in (-2, -1, 0, 1, 2, 3, 4, 6))
_SIGNS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _compared(sign: str, value: Value, limit: Fraction) -> bool | None:
    return None if value is None else bool(_SIGNS[sign](value, limit))


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{float(value):g}" if isinstance(value, Fraction) else str(value)


def _all(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _any(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


def _same(a: bool | None, b: bool | None) -> bool | None:
    return None if a is None or b is None else a == b


def _not(parts: list[Said]) -> Said:
    text, meaning = parts[0]
    return f"not ({text})", lambda r: _opposite(meaning(r))


def _and(parts: list[Said]) -> Said:
    return f"({' and '.join(f'({t})' for t, _ in parts)})", lambda r: _all([m(r) for _, m in parts])


def _or(parts: list[Said]) -> Said:
    return f"({' or '.join(f'({t})' for t, _ in parts)})", lambda r: _any([m(r) for _, m in parts])


def _implies(parts: list[Said]) -> Said:
    (a, one), (b, other) = parts[:2]
    return f"(({a}) implies ({b}))", lambda r: _any([_opposite(one(r)), other(r)])


def _iff(parts: list[Said]) -> Said:
    (a, one), (b, other) = parts[:2]
    return f"(({a}) iff ({b}))", lambda r: _same(one(r), other(r))


def _xor(parts: list[Said]) -> Said:
    (a, one), (b, other) = parts[:2]
    return f"(({a}) xor ({b}))", lambda r: _opposite(_same(one(r), other(r)))


def _if(parts: list[Said]) -> Said:
    (a, one), (b, other), (c, last) = (*parts, parts[0])[:3]
    text = f"(if ({a}) then ({b}) else ({c}))"
    return text, lambda r: _all([_any([_opposite(one(r)), other(r)]), _any([one(r), last(r)])])
