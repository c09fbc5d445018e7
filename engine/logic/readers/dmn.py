"""Decision tables of DMN 1.x: rows become rules, inputs facts, outputs what is decided.

Hit policies: UNIQUE and ANY (every row that matches holds), FIRST (a row holds where no row above matches),
PRIORITY (where none of a higher priority does, by the order of the output's values), COLLECT (a flag for each
value that may be collected), COLLECT with MIN or MAX (by priority of the number) and with SUM or COUNT
(dmn_sums.py). Of several tables, the output of one may be an input of another. Dates, times and durations
count as numbers (moments.py). Expressions beyond unary tests (feel.py) are refused.
OMG, Decision Model and Notation, version 1.5, formal/24-01-01.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...errors import RuleError
from ..language import MOST_BYTES, MOST_RULES
from ..vocabulary import Variable, Vocabulary
from .dmn_sums import adds, sum_rules, sum_variables
from .dmn_table import Output, Row, Table, tables_of
from .feel import kind_of, plain, value_of, values_in
from .moments import UNITS
from .reader import Document, reader
from .writing import both, either, quoted, rule_text
from .xml import parse_xml

OTHER = "(other)"  # a text that no cell names
MOST_ROWS = 1_000
_AGGREGATIONS = ("SUM", "COUNT", "MIN", "MAX")
_POLICIES = ("UNIQUE", "ANY", "FIRST", "PRIORITY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")


@reader(".dmn", "decision tables")
def read_dmn(text: str) -> Document:
    """Return the rules of the decision tables of a DMN file.

    Raises:
        RuleError: it is no DMN, or uses something that is not read; `where` is line and column.
    """
    root = parse_xml(text)
    if root.name != "definitions":
        raise RuleError(
            f"The root is {root.name[:40]!r}.", where=root.place, do="DMN begins with definitions."
        )
    notes: list[str] = []
    tables = tables_of(root, notes)
    if not tables:
        raise RuleError("There is no decision table.", where=root.place)
    return _Reading(tables, notes).document()


@dataclass
class _Reading:
    """Turns tables into a vocabulary and rules."""

    tables: list[Table]
    notes: list[str]
    variables: dict[str, Variable] = field(default_factory=dict)
    moments: dict[str, str] = field(default_factory=dict)  # variable -> its kind, a key of UNITS

    def document(self) -> Document:
        if len(self.tables) > MOST_RULES:
            words = f"There are {len(self.tables):,} tables; {MOST_RULES:,} is the most."
            raise RuleError(words, where=self.tables[MOST_RULES].where, do="Split the file.")
        self.tables = [self._checked(table) for table in self.tables]
        for table in self.tables:
            self._add_outputs(table)
        self._add_inputs()
        rules: list[str] = []
        size = 0
        for table in self.tables:
            for rule in self._rules(table):
                rules.append(rule)
                size += len(rule)
                if size > MOST_BYTES:  # rows that look at all rows above them come to much
                    words = f"As rules the tables take more than {MOST_BYTES // 1024} KiB, which is the most."
                    raise RuleError(words, where=table.where, do="Split the tables.")
        return Document(Vocabulary(tuple(self.variables.values())), "".join(rules), tuple(self.notes))

    def _checked(self, table: Table) -> Table:
        if table.policy not in _POLICIES:
            words = f"The hit policy {table.policy[:30]!r} is none."
            raise RuleError(words, where=table.where, do=f"Policies are {', '.join(_POLICIES)}.")
        if table.aggregation and table.policy != "COLLECT":
            self.notes.append(f"{table.name}: an aggregation counts with COLLECT alone and is left out.")
            table = replace(table, aggregation="")
        if len(table.rows) > MOST_ROWS:
            raise RuleError(f"The table has more than {MOST_ROWS:,} rows.", where=table.where)
        if sum(len(cell) for row in table.rows for cell in row.inputs) > MOST_BYTES:
            words = f"The cells take more than {MOST_BYTES // 1024} KiB, which is the most."
            raise RuleError(words, where=table.where, do="Split the table.")
        if table.aggregation:
            _check_aggregation(table)
        if _collects(table):
            if len(table.outputs) > 1:
                raise RuleError("A table that collects has one output here.", where=table.where)
            if table.policy != "COLLECT":
                self.notes.append(f"{table.name}: which values are collected is kept, their order is not.")
        return table

    # Variables

    def _add_outputs(self, table: Table) -> None:
        if adds(table):
            for variable in sum_variables(table):
                self._add(variable, table)
            return
        for number, output in enumerate(table.outputs):
            values = _ordered(table, number)
            if _collects(table):
                for value in values:
                    self._add(
                        Variable(_flag(output, value), "flag", text=f"{output.name} has {value}"), table
                    )
                continue
            kind = _kind_of_output(output, values)
            self._add(_decided(output, kind, values), table)
            self._count_as_number(output.name, kind)

    def _add_inputs(self) -> None:
        kinds: dict[str, str] = {}
        named: dict[str, dict[str, None]] = {}
        closed: set[str] = set()
        for table in self.tables:
            for number, column in enumerate(table.inputs):
                kind = column.kind or self._kind_of(table, number)
                if kinds.setdefault(column.name, kind) != kind:
                    raise RuleError(
                        f"{column.name} is a {kinds[column.name]} and a {kind}.", where=table.where
                    )
                values = named.setdefault(column.name, {})
                for cell, where in ((column.values, column.where), *table.cells(number)):
                    values.update(dict.fromkeys(values_in(cell, where)))
                if column.values:
                    closed.add(column.name)
        for name, kind in kinds.items():
            if name not in self.variables:
                self.variables[name] = _fact(name, kind, list(named[name]), closed=name in closed)
                self._count_as_number(name, kind)
                if kind == "string" and name not in closed:
                    self.notes.append(f"{name}: a text that no cell names counts as {OTHER}.")

    def _kind_of(self, table: Table, number: int) -> str:
        found = {kind_of(v) for cell, where in table.cells(number) for v in values_in(cell, where)}
        return found.pop() if len(found) == 1 else "string"

    def _count_as_number(self, name: str, kind: str) -> None:
        if kind in UNITS:
            self.moments[name] = kind
            self.notes.append(f"{name}: a {kind} counts as {UNITS[kind]}.")

    def _add(self, variable: Variable, table: Table) -> None:
        if variable.name in self.variables:
            raise RuleError(f"Two tables decide {variable.name!r}.", where=table.where)
        self.variables[variable.name] = variable

    # Rules

    def _rules(self, table: Table) -> Iterator[str]:
        conditions = [table.condition(row, self._kind) for row in table.rows]
        if _collects(table):
            yield from _collected(table, conditions)
            return
        if adds(table):
            yield from sum_rules(table, conditions)
            yield from self._default(table, conditions)
            return
        ranks = _ranks(table)
        for number, (row, condition) in enumerate(zip(table.rows, conditions, strict=True)):
            said = [_equals(o, v) for o, v in zip(table.outputs, row.outputs, strict=True) if v]
            if said:
                stronger = [conditions[i] for i in _stronger(ranks, number)]
                if "" in stronger:
                    continue  # a stronger row always matches
                unless = (
                    [f"not {either(stronger)}" if len(stronger) > 1 else f"not ({stronger[0]})"]
                    if stronger
                    else []
                )
                when = [condition] if condition else []
                yield _row_rule(table, row, [*when, *unless], both(said))
        yield from self._default(table, conditions)

    def _default(self, table: Table, conditions: list[str]) -> Iterator[str]:
        said = [_equals(o, o.default) for o in table.outputs if o.default]
        if said and "" not in conditions:
            when = f"not {either(conditions)}" if len(conditions) > 1 else f"not ({conditions[0]})"
            yield rule_text(
                f"{table.name}, no row", f"if {when} then {both(said)}", "No row of the table matches"
            )

    def _kind(self, name: str) -> str:
        if name in self.moments:
            return self.moments[name]
        variable = self.variables[name]
        kinds = {"flag": "boolean", "category": "string"}
        return kinds.get(variable.kind, "number")


def _collects(table: Table) -> bool:
    return table.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER") and not table.aggregation


def _ordered(table: Table, number: int) -> list[str]:
    """Return the values of an output, as written, those of its list first."""
    output = table.outputs[number]
    found = dict.fromkeys(values_in(output.values, output.where)) if output.values else {}
    found.update(dict.fromkeys(row.outputs[number] for row in table.rows if row.outputs[number]))
    if output.default:
        found[output.default] = None
    return list(found)


def _check_aggregation(table: Table) -> None:
    if table.aggregation not in _AGGREGATIONS:
        words = f"The aggregation {table.aggregation[:30]!r} is none."
        raise RuleError(words, where=table.where, do=f"Aggregations are {', '.join(_AGGREGATIONS)}.")
    if len(table.outputs) > 1:
        raise RuleError("A table that aggregates has one output.", where=table.where)
    for row in table.rows:
        if table.aggregation != "COUNT" and kind_of(row.outputs[0]) != "number":
            words = f"{table.aggregation} is taken of numbers; row {row.number} has none."
            raise RuleError(words, where=row.where)


def _decided(output: Output, kind: str, values: list[str]) -> Variable:
    if kind == "boolean":
        return Variable(output.name, "flag", text="decided by a table")
    if kind == "number" or kind in UNITS:
        numbers = sorted({value_of(value, kind) for value in values}, key=float)
        return Variable(output.name, "number", values=tuple(numbers), text=_said("decided by a table", kind))
    return Variable(output.name, "category", values=tuple(map(plain, values)), text="decided by a table")


def _kind_of_output(output: Output, values: list[str]) -> str:
    kinds = {kind_of(value) for value in values}
    if len(kinds) != 1 or "" in kinds:
        words = f"The values of {output.name} are not of one type."
        do = "Write texts in quotes, numbers, dates, times, durations, or true and false."
        raise RuleError(words, where=output.where, do=do)
    return kinds.pop()


def _fact(name: str, kind: str, values: list[str], *, closed: bool) -> Variable:
    if kind == "boolean":
        return Variable(name, "flag", given=True, text="an input")
    if kind == "number" or kind in UNITS:
        return Variable(name, "number", given=True, text=_said("an input", kind))
    names = [*map(plain, values), *([] if closed else [OTHER])]
    return Variable(name, "category", given=True, values=tuple(dict.fromkeys(names)), text="an input")


def _said(what: str, kind: str) -> str:
    return f"{what}: a {kind} in {UNITS[kind]}" if kind in UNITS else what


def _flag(output: Output, value: str) -> str:
    return f"{output.name}: {plain(value) if kind_of(value) == 'string' else value}"


def _equals(output: Output, value: str) -> str:
    return f"{quoted(output.name)} = {value_of(value, kind_of(value))}"


def _row_rule(table: Table, row: Row, conditions: list[str], then: str) -> str:
    text = f"if {both(conditions)} then {then}" if conditions else then
    return rule_text(f"{table.name}, row {row.number}", text, row.note or f"{row.where} of the file")


def _collected(table: Table, conditions: list[str]) -> Iterator[str]:
    output = table.outputs[0]
    for value in _ordered(table, 0):
        flag = _flag(output, value)
        matching = [c for row, c in zip(table.rows, conditions, strict=True) if row.outputs[0] == value]
        if "" in matching:
            yield rule_text(f"{table.name}: {flag}", quoted(flag), "A row without conditions has this value")
        elif matching:
            text = (
                f"{quoted(flag)} iff {either(matching)}"
                if len(matching) > 1
                else f"{quoted(flag)} iff ({matching[0]})"
            )
            yield rule_text(f"{table.name}: {flag}", text, "Collected where one of its rows matches")
        else:
            yield rule_text(f"{table.name}: {flag}", f"not {quoted(flag)}", "No row has this value")


def _ranks(table: Table) -> list[tuple[float, ...]]:
    """Return the rank of each row; where several match, those of the least rank are taken."""
    if table.policy == "FIRST":
        return [(float(number),) for number in range(len(table.rows))]
    if table.aggregation:
        sign = 1 if table.aggregation == "MIN" else -1
        return [(sign * float(row.outputs[0]),) for row in table.rows]
    if table.policy == "PRIORITY":
        places = [{v: float(i) for i, v in enumerate(_ordered(table, o))} for o in range(len(table.outputs))]
        return [tuple(places[o].get(v, 0.0) for o, v in enumerate(row.outputs)) for row in table.rows]
    return [()] * len(table.rows)


def _stronger(ranks: list[tuple[float, ...]], number: int) -> list[int]:
    """Return the rows that, where they match too, are taken in place of row `number`."""
    return [i for i, rank in enumerate(ranks) if rank < ranks[number]]
