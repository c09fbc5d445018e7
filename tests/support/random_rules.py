"""Random rules over three classes and three columns, and all records that they can tell apart."""

from __future__ import annotations

import itertools
import random
from functools import partial

import numpy as np

from engine.logic.formula import (
    Among,
    And,
    Compare,
    Count,
    Formula,
    Iff,
    IfThen,
    Implies,
    Known,
    Not,
    Or,
    Statement,
    Word,
    Xor,
)
from engine.logic.printing import print_rules
from engine.logic.ruleset import RuleSet
from engine.ports import Column

CLASSES = ("a", "b", "c")
COLUMNS = (Column("size", ("low", "med", "high")), Column("seats", ("2", "4")), Column("x"))
RECORDS = list(itertools.product((0.0, 1.0, 2.0, np.nan), (0.0, 1.0, np.nan), (-1.0, 2.5, 7.0, np.nan)))


def random_atom(rng: random.Random) -> Formula:
    name = rng.choice(["class", "class", "size", "seats", "x"])
    subject = None if name == "class" else Word(name)
    values = {
        "class": CLASSES,
        "size": ("low", "med", "high"),
        "seats": ("2", "4"),
        "x": ("-1", "2.5", "7", "3"),
    }[name]
    form = rng.random()
    if subject is not None and form < 0.15:
        return Known(subject, rng.random() < 0.5)
    if form < 0.5:
        return Among(subject, tuple(map(Word, rng.choices(values, k=rng.randint(1, 3)))), rng.random() < 0.3)
    operators = ["=", "!="] if name in ("class", "size") else ["=", "!=", "<", "<=", ">", ">="]
    return Compare(subject, rng.choice(operators), Word(rng.choice(values)))


def random_formula(rng: random.Random, depth: int) -> Formula:
    part = partial(random_formula, rng, depth - 1)
    if depth == 0 or rng.random() < 0.25:
        return random_atom(rng)
    kind = rng.choice([Not, And, Or, Implies, Iff, Xor, IfThen, Count])
    if kind is Not:
        return Not(part())
    if kind in (And, Or):
        return kind(tuple(part() for _ in range(rng.randint(2, 3))))
    if kind is IfThen:
        return IfThen(part(), part(), part() if rng.random() < 0.5 else None)
    if kind is Count:
        parts = tuple(part() for _ in range(rng.randint(1, 4)))
        return Count(rng.choice(["exactly", "at most", "at least"]), rng.randint(0, len(parts)), parts)
    return kind(part(), part())


def random_rules(rng: random.Random) -> tuple[Statement, ...]:
    return tuple(Statement("", random_formula(rng, rng.randint(1, 3))) for _ in range(rng.randint(1, 3)))


def bound(statements: tuple[Statement, ...]) -> RuleSet:
    return RuleSet.of(print_rules(statements), CLASSES, COLUMNS)
