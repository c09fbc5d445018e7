"""Decision tables of a DMN file as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...errors import RuleError
from .feel import kind_of, test_of
from .moments import KINDS
from .writing import both, one_line, quoted
from .xml import Element

_TYPES = {
    "string": "string",
    "boolean": "boolean",
    "number": "number",
    "integer": "number",
    "long": "number",
    "double": "number",
    **KINDS,
}
_NAME = re.compile(r"[^\W\d][\w .]*")


@dataclass(frozen=True)
class Input:
    """One input column; `kind` is string, number, boolean, or "" where the file does not say."""

    name: str
    kind: str
    values: str
    where: str


@dataclass(frozen=True)
class Output:
    """One output column; `values` lists its values in order of priority, `default` is a value or ""."""

    name: str
    values: str
    default: str
    where: str


@dataclass(frozen=True)
class Row:
    """One row: cells of inputs, values of outputs ("" for none), where it stands, and each of its cells."""

    number: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    note: str
    where: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One decision table."""

    name: str
    policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rows: tuple[Row, ...]
    where: str

    def cells(self, number: int) -> Iterator[tuple[str, str]]:
        """Yield the cells of one input column and where they stand."""
        for row in self.rows:
            yield row.inputs[number], row.places[number]

    def condition(self, row: Row, kind: Callable[[str], str]) -> str:
        """Return when a row matches, in the rule language; "" for always."""
        found = [
            test_of(cell, quoted(column.name), kind(column.name), place)
            for column, cell, place in zip(self.inputs, row.inputs, row.places, strict=True)
        ]
        tests = [test for test in found if test]
        return both(tests) if tests else ""


def tables_of(root: Element, notes: list[str]) -> list[Table]:
    """Return the decision tables under `root`, in order; what else decides is noted."""
    found = []
    for decision in root.all("decision"):
        name = _name(decision) or one_line(decision.attributes.get("id", "")) or f"line {decision.line}"
        table = decision.first("decisionTable")
        if table is None:
            notes.append(f"{decision.place}: {name} has no decision table and is left out.")
        else:
            found.append(_table(name, decision, table))
    return found


def _table(name: str, decision: Element, table: Element) -> Table:
    where = table.place
    inputs = tuple(map(_input, table.all("input")))
    if len({column.name for column in inputs}) < len(inputs):
        raise RuleError(f"Two inputs of {name} have one name.", where=where)
    outputs = _outputs(name, decision, table)
    rows = tuple(_row(i, rule, len(inputs), outputs) for i, rule in enumerate(table.all("rule"), 1))
    if not rows:
        raise RuleError(f"{name} has no rows.", where=where)
    policy = table.attributes.get("hitPolicy", "UNIQUE").upper()
    return Table(name, policy, table.attributes.get("aggregation", "").upper(), inputs, outputs, rows, where)


def _input(element: Element) -> Input:
    where = element.place
    expression = one_line(element.words("inputExpression", "text"))
    if not _NAME.fullmatch(expression):
        words = f"The input expression {expression[:60]!r} is not read."
        raise RuleError(words, where=where, do="An input is the name of a variable.")
    inner = element.first("inputExpression")
    said = inner.attributes.get("typeRef", "") if inner else ""
    return Input(expression, _type(said), element.words("inputValues", "text"), where)


def _type(said: str) -> str:
    plain = said.split(":")[-1].lower()
    return _TYPES.get(plain, "")


def _outputs(name: str, decision: Element, table: Element) -> tuple[Output, ...]:
    columns = table.all("output")
    if not columns:
        raise RuleError(f"{name} has no output.", where=table.place)
    variable = decision.first("variable")
    alone = (_name(variable) if variable else "") or name
    found = []
    for i, column in enumerate(columns, 1):
        called = _name(column) or f"output {i}"
        found.append(
            Output(
                alone if len(columns) == 1 else f"{name}.{called}",
                column.words("outputValues", "text"),
                column.words("defaultOutputEntry", "text"),
                column.place,
            )
        )
    return tuple(found)


def _name(element: Element) -> str:
    return one_line(element.attributes.get("name", ""))


def _row(number: int, rule: Element, inputs: int, outputs: tuple[Output, ...]) -> Row:
    where = rule.place
    entries = rule.all("inputEntry")
    cells = tuple(entry.words("text") for entry in entries)
    values = tuple(entry.words("text") for entry in rule.all("outputEntry"))
    if len(cells) != inputs or len(values) != len(outputs):
        words = f"Row {number} has {len(cells)} inputs and {len(values)} outputs; "
        raise RuleError(f"{words}the table has {inputs} and {len(outputs)}.", where=where)
    for value in values:
        if value and not kind_of(value):
            words = f"The output {value[:60]!r} is not read."
            do = "An output is a text in quotes, a number, a date, a time, a duration, true or false."
            raise RuleError(words, where=where, do=do)
    places = tuple((entry.first("text") or entry).place for entry in entries)
    return Row(number, cells, values, one_line(rule.words("description"))[:200], where, places)
