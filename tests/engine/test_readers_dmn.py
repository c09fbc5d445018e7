"""logic/readers/dmn.py: what tables decide, against tables worked out by hand, and what is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PolybitError, RuleError
from engine.logic.readers.dmn import read_dmn
from engine.logic.readers.feel import test_of as condition_of
from engine.logic.readers.xml import parse_xml

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">\n'


def column(tag, name, type_="", values="", default=""):
    listed = f"<{tag}Values><text>{values}</text></{tag}Values>" if values else ""
    other = f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    if tag == "input":
        return (
            f'<input><inputExpression typeRef="{type_}"><text>{name}</text></inputExpression>{listed}</input>'
        )
    return f'<output name="{name}" typeRef="{type_}">{listed}{other}</output>'


def table(name, policy, columns, rows, extra=""):
    text = f'<decision name="{name}"><decisionTable hitPolicy="{policy}" {extra}>{"".join(columns)}\n'
    for inputs, outputs in rows:
        cells = "".join(f"<inputEntry><text>{c}</text></inputEntry>" for c in inputs)
        values = "".join(f"<outputEntry><text>{v}</text></outputEntry>" for v in outputs)
        text += f"<rule>{cells}{values}</rule>\n"
    return text + "</decisionTable></decision>\n"


def document(*tables):
    return read_dmn(HEAD + "".join(tables) + "</definitions>")


def answers(found, facts):
    """Return every allowed answer for one record of facts, as a dict of texts."""
    rules = found.rules
    given, decided = rules.vocabulary.given, rules.vocabulary.decided
    row = []
    for variable in given:
        value = facts[variable.name]
        names = variable.column.categories
        row.append(float(names.index(value)) if names else float(value))
    every = np.array(list(itertools.product(*(range(len(v.names)) for v in decided))), np.int64)
    kept = ~rules.broken(np.repeat([row], len(every), 0), every).any(1)
    return [{v.name: v.names[i] for v, i in zip(decided, one, strict=True)} for one in every[kept]]


RISK = (
    [
        column("input", "age", "number"),
        column("input", "history", "string"),
        column("output", "risk", "string"),
    ],
    [
        (("&lt; 25", "-"), ('"high"',)),
        (("[25..60)", '"good"'), ('"low"',)),
        (("[25..60)", 'not("good")'), ('"medium"',)),
        (("&gt;= 60", '"bad","none"'), ('"high"',)),
        (("&gt;= 60", '"good"'), ('"low"',)),
    ],
)


@pytest.mark.parametrize(
    ("age", "history", "risk"),
    [
        (20, "good", "high"),
        (25, "good", "low"),
        (59.9, "bad", "medium"),
        (60, "none", "high"),
        (60, "good", "low"),
    ],
)
def test_a_unique_table_decides_what_its_row_says(age, history, risk):
    found = document(table("Risk", "UNIQUE", *RISK))
    assert answers(found, {"age": age, "history": history}) == [{"Risk": risk}]
    assert found.notes == ("history: a text that no cell names counts as (other).",)


def test_where_no_row_matches_every_answer_is_allowed():
    found = document(table("Risk", "UNIQUE", *RISK))
    assert len(answers(found, {"age": 70, "history": "(other)"})) == 3


OVERLAP = (
    [column("input", "x", "integer"), column("output", "y", "string", '"a","b","c"')],
    [(("&gt; 10",), ('"c"',)), (("&gt; 5",), ('"b"',)), (("-",), ('"a"',))],
)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("FIRST", {3: "a", 7: "b", 20: "c"}), ("PRIORITY", {3: "a", 7: "a", 20: "a"}), ("UNIQUE", {3: "a"})],
)
def test_overlapping_rows_by_policy(policy, expected):
    found = document(table("y", policy, *OVERLAP))
    for x, y in expected.items():
        assert answers(found, {"x": x}) == [{"y": y}]
    if policy == "UNIQUE":
        assert answers(found, {"x": 7}) == []  # two rows that disagree leave no answer


def test_collected_values_are_flags():
    found = document(table("y", "COLLECT", *OVERLAP))
    assert answers(found, {"x": 7}) == [{"y: a": "yes", "y: b": "yes", "y: c": "no"}]
    noted = document(table("y", "RULE ORDER", *OVERLAP))
    assert noted.notes == ("y: which values are collected is kept, their order is not.",)


@pytest.mark.parametrize(("aggregation", "expected"), [("MIN", "5"), ("MAX", "40")])
def test_collected_numbers_by_least_and_most(aggregation, expected):
    columns = [column("input", "x", "number"), column("output", "fee", "number")]
    rows = [(("&gt; 0",), ("40",)), (("&gt; 1",), ("5",)), (("&gt; 2",), ("20",))]
    found = document(table("fee", "COLLECT", columns, rows, f'aggregation="{aggregation}"'))
    assert answers(found, {"x": 3}) == [{"fee": expected}]
    assert answers(found, {"x": 0.5}) == [{"fee": "40"}]


FEES = (
    [column("input", "x", "number"), column("output", "fee", "number", default="9")],
    [(("&gt; 0",), ("40",)), (("&gt; 1",), ("2.5",)), (("&gt; 2",), ("-20",))],
)


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("SUM", ["9", "40.0", "42.5", "22.5"]), ("COUNT", ["9", "1", "2", "3"])],
)
def test_collected_numbers_are_added_up_or_counted(aggregation, expected):
    found = document(table("fee", "COLLECT", *FEES, f'aggregation="{aggregation}"'))
    for x, fee in zip((0, 0.5, 1.5, 3), expected, strict=True):
        flags = {f"fee: row {i + 1}": "yes" if x > i else "no" for i in range(3)}
        (answer,) = answers(found, {"x": x})
        assert float(answer.pop("fee")) == float(fee)
        assert answer == flags


def test_dates_are_facts_and_decisions_counted_in_days():
    columns = [column("input", "born", "date"), column("output", "until", "date")]
    rows = [(('&lt; date("1970-01-11")',), ('date("1970-01-31")',)), (("-",), ('@"1971-01-01"',))]
    found = document(table("until", "FIRST", columns, rows))
    assert answers(found, {"born": 9.0}) == [{"until": "30"}]
    assert answers(found, {"born": 10.0}) == [{"until": "365"}]
    assert found.notes == tuple(f"{n}: a date counts as days since 1970-01-01." for n in ("until", "born"))


def test_an_aggregation_without_collect_is_told():
    found = document(table("y", "FIRST", *OVERLAP, 'aggregation="SUM"'))
    assert found.notes == ("y: an aggregation counts with COLLECT alone and is left out.",)
    assert answers(found, {"x": 20}) == [{"y": "c"}]


def test_a_default_stands_where_no_row_matches():
    columns = [column("input", "x", "number"), column("output", "ok", "boolean", default="false")]
    found = document(table("ok", "ANY", columns, [(("&gt; 3",), ("true",)), (("&gt; 5",), ("true",))]))
    assert answers(found, {"x": 9}) == [{"ok": "yes"}]
    assert answers(found, {"x": 1}) == [{"ok": "no"}]


def test_the_output_of_one_table_is_the_input_of_another():
    second = table(
        "Offer",
        "UNIQUE",
        [
            column("input", "Risk", "string"),
            column("output", "price", "number"),
            column("output", "check", "boolean"),
        ],
        [(('"low"',), ("10", "false")), (('"medium"',), ("20", "true")), (('"high"',), ("30.5", "true"))],
    )
    found = document(table("Risk", "UNIQUE", *RISK), second)
    assert [v.name for v in found.vocabulary.given] == ["age", "history"]
    expected = [{"Risk": "high", "Offer.price": "30.5", "Offer.check": "yes"}]
    assert answers(found, {"age": 20, "history": "good"}) == expected


@pytest.mark.parametrize(
    ("cell", "kind", "says"),
    [
        ("-", "number", ""),
        ("", "number", ""),
        ("5", "number", '"v" = 5'),
        ("-5.5", "number", '"v" = -5.5'),
        ("<= 3", "number", '"v" <= 3'),
        ("[1..2]", "number", '("v" >= 1 and "v" <= 2)'),
        ("]1..2[", "number", '("v" > 1 and "v" < 2)'),
        ("(1..2), 7", "number", '(("v" > 1 and "v" < 2) or "v" = 7)'),
        ("not(1, > 4)", "number", 'not ("v" = 1 or "v" > 4)'),
        ("true", "boolean", '"v" = yes'),
        ('["a", "b"]', "string", '("v" = "a" or "v" = "b")'),
        ('not(["a"])', "string", 'not ("v" = "a")'),
        ('!= "a"', "string", '"v" != "a"'),
        ("= 3", "number", '"v" = 3'),
        (']date("1970-01-02")..@"1970-02-01"]', "date", '("v" > 1 and "v" <= 31)'),
        ('< time("08:30:00")', "time", '"v" < 30600'),
        ('>= date and time("1970-01-02T00:00:01Z")', "date and time", '"v" >= 86401'),
        ('>= @"1970-01-01T02:00:00+02:00"', "date and time", '"v" >= 0'),
        ('> duration("P1DT2H3M4.5S")', "days and time duration", '"v" > 93784.5'),
        ('duration("-P1Y6M")', "years and months duration", '"v" = -18'),
        ('"a \\"b\\"","c"', "string", '("v" = "a \\"b\\"" or "v" = "c")'),
    ],
)
def test_cells(cell, kind, says):
    assert condition_of(cell, '"v"', kind, "line 1") == says


NUMBERS = [column("input", "x", "number"), column("output", "y", "number")]
WRONG = {
    "no xml": ("<definitions>", "line 1"),
    "doctype": ('<!DOCTYPE d [<!ENTITY a "b">]><definitions/>', "line 1"),
    "root": ("<model/>", "line 1"),
    "no table": (HEAD + "</definitions>", "line 2"),
    "average": (
        HEAD + table("t", "COLLECT", NUMBERS, [(("1",), ("2",))], 'aggregation="AVG"') + "</definitions>",
        "line 3",
    ),
    "sum of texts": (
        HEAD + table("t", "COLLECT", NUMBERS, [(("1",), ('"a"',))], 'aggregation="SUM"') + "</definitions>",
        "line 4",
    ),
    "no such day": (
        HEAD
        + table("t", "ANY", [column("input", "x", "date"), NUMBERS[1]], [(('date("2021-02-30")',), ("2",))])
        + "</definitions>",
        "line 4, column ",
    ),
    "policy": (HEAD + table("t", "BEST", NUMBERS, [(("1",), ("2",))]) + "</definitions>", "line 3"),
    "cell": (HEAD + table("t", "ANY", NUMBERS, [(("x + 1",), ("2",))]) + "</definitions>", "line 4"),
    "type": (HEAD + table("t", "ANY", NUMBERS, [(('"a"',), ("2",))]) + "</definitions>", "line 4"),
    "output": (HEAD + table("t", "ANY", NUMBERS, [(("1",), ("x * 2",))]) + "</definitions>", "line 4"),
    "mixed": (
        HEAD + table("t", "ANY", NUMBERS, [(("1",), ("2",)), (("2",), ('"a"',))]) + "</definitions>",
        "line 3",
    ),
    "cells": (HEAD + table("t", "ANY", NUMBERS, [(("1", "2"), ("2",))]) + "</definitions>", "line 4"),
    "empty": (HEAD + table("t", "ANY", NUMBERS, []) + "</definitions>", "line 3"),
    "expression": (
        HEAD
        + table("t", "ANY", [column("input", "x * 2"), NUMBERS[1]], [(("1",), ("2",))])
        + "</definitions>",
        "line 3",
    ),
    "date": (
        HEAD
        + table("t", "ANY", [column("input", "x", "date"), NUMBERS[1]], [(("1",), ("2",))])
        + "</definitions>",
        "line 4",
    ),
    "twice": (HEAD + 2 * table("t", "ANY", NUMBERS, [(("1",), ("2",))]) + "</definitions>", "line 6"),
    "deep": ("<a>" * 200 + "</a>" * 200, "line 1"),
    "nul": ("<definitions>\x00</definitions>", "line 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_line(case):
    text, where = WRONG[case]
    with pytest.raises(RuleError) as caught:
        read_dmn(text)
    assert caught.value.where.startswith(where)
    assert "\n" not in str(caught.value)


def test_prefixes_labels_and_types_of_feel_are_understood():
    text = """<s:definitions xmlns:s="http://www.omg.org/spec/DMN/20151101/dmn.xsd"><s:decision name="d e">
    <s:variable name="d e" typeRef="feel:string"/><s:decisionTable hitPolicy="ANY" outputLabel="d e">
    <s:input label="L"><s:inputExpression typeRef="feel:boolean"><s:text> ok </s:text></s:inputExpression>
    </s:input>
    <s:output><s:outputValues><s:text>"y","n"</s:text></s:outputValues></s:output>
    <s:rule><s:description>It is <![CDATA[so & so]]>.</s:description>
    <s:inputEntry><s:text>true</s:text></s:inputEntry>
    <s:outputEntry><s:text>"y"</s:text></s:outputEntry></s:rule></s:decisionTable></s:decision></s:definitions>"""
    found = read_dmn(text)
    assert answers(found, {"ok": "yes"}) == [{"d e": "y"}]
    assert len(answers(found, {"ok": "no"})) == 2
    assert found.rules.rules[0].reason == "It is so & so."


def outcome_of(text):
    try:
        return read_dmn(text).text
    except PolybitError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_tables_are_read_or_refused_in_a_sentence(data):
    text = HEAD + table("Risk", "FIRST", *RISK) + "</definitions>"
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 8))
        new = data.draw(st.text("<>/&;\"'=-[]().,0129notrue \n\x00é", max_size=8))
        text = text[:at] + new + text[at + cut :]
    assert outcome_of(text)


def test_xml_keeps_lines_and_drops_prefixes():
    root = parse_xml('<d:a xmlns:d="x">\n <d:b k="1">t<!-- c -->u</d:b></d:a>')
    assert (root.name, root.line, root.children[0].name, root.children[0].line) == ("a", 1, "b", 2)
    assert root.children[0].text == "tu"
    assert root.words("b") == "tu"
