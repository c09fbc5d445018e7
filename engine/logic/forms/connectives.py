"""The connectives as calls, as some write them: `IMPLIES(a, b)`, `AND(a, b, c)`, `REQUIRE(b)`."""

from __future__ import annotations

from ..formula import And, Formula, Iff, Implies, Or, Xor
from .form import Call, Entry, enter


def _and(call: Call) -> Formula:
    call.check(2)
    return And(call.formulas())


def _or(call: Call) -> Formula:
    call.check(2)
    return Or(call.formulas())


def _xor(call: Call) -> Formula:
    call.check(2, 2)
    return Xor(*call.formulas())


def _iff(call: Call) -> Formula:
    call.check(2, 2)
    return Iff(*call.formulas())


def _implies(call: Call) -> Formula:
    call.check(2, 2)
    return Implies(*call.formulas())


def _require(call: Call) -> Formula:
    call.check(1, 1)
    return call.formulas()[0]


for _name, _help, _example, _read in (
    ("and", "All of them hold.", "AND(a, b, c)", _and),
    ("or", "At least one of them holds.", "OR(a, b, c)", _or),
    ("xor", "Exactly one of the two holds.", "XOR(a, b)", _xor),
    ("iff", "Both hold or neither does.", "IFF(a, b)", _iff),
    ("implies", "The second holds wherever the first does.", "IMPLIES(a, b)", _implies),
    ("require", "It holds; reads well with before.", "REQUIRE(a AND b) BEFORE c", _require),
):
    enter(Entry(_name, (_name,), _help, _example, None, _read))
