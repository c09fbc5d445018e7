"""logic/readers: large and odd files are read or refused in a time that grows with their length alone."""

from __future__ import annotations

import os
import time

import pytest

from engine.errors import RuleError
from engine.logic.readers.dmn import read_dmn
from engine.logic.readers.reader import read_rules
from engine.logic.readers.uvl import read_uvl
from engine.logic.readers.xml import parse_xml
from engine.logic.vocabulary import Variable

LIMIT = 10.0  # seconds of processor time; what takes longer than its length allows takes minutes and hours
MODEL = "features\n\tA\n\t\toptional\n\t\t\tB\n\t\t\tC\n"


def tables(policy, rows, more="", values=""):
    head = f'<definitions><decision name="D"><decisionTable hitPolicy="{policy}" {more}>'
    head += "<input><inputExpression><text>x</text></inputExpression></input>"
    cells = "".join(
        f"<rule><inputEntry><text>{i}</text></inputEntry><outputEntry><text>{o}</text></outputEntry></rule>\n"
        for i, o in rows
    )
    listed = f"<outputValues><text>{values}</text></outputValues>" if values else ""
    return f"{head}<output>{listed}</output>\n{cells}</decisionTable></decision></definitions>"


LETTERS = [f'"o{i}"' for i in range(40)]
LARGE = {
    "comments": (read_uvl, MODEL + "/* " * 200_000, "line 6, column 1: The comment that begins here is not"),
    "blanks": (read_uvl, f"features\n\tA{' ' * 50_000}x\n", "is no feature"),
    "constraints": (read_uvl, MODEL + "constraints\n" + "\tB => C\n" * 4_000, "2,000 constraints"),
    "priority": (
        read_dmn,
        tables("PRIORITY", [(f'"{i}"', LETTERS[i % 40]) for i in range(900)], values=",".join(LETTERS)),
        "take more than 256 KiB",
    ),
    "first": (read_dmn, tables("FIRST", [(f'"{i:050}"', '"o"') for i in range(900)]), "take more than"),
    "cells": (
        read_dmn,
        tables("UNIQUE", [(",".join(f'"{i}"' for i in range(900)), '"o"')] * 80),
        "The cells take more than 256 KiB",
    ),
    "tables": (
        read_dmn,
        "<definitions>" + 2_100 * tables("UNIQUE", [("1", "1")])[13:-14] + "</definitions>",
        "2,100 tables; 2,000 is the most",
    ),
}


@pytest.mark.parametrize("case", LARGE)
def test_what_is_too_large_is_refused_soon(case):
    read, text, words = LARGE[case]
    began = time.process_time()
    with pytest.raises(RuleError, match=words) as caught:
        read(text)
    assert time.process_time() - began < LIMIT
    assert caught.value.where.startswith("line ")


def test_attributes_and_texts_in_many_pieces_are_read_soon():
    began = time.process_time()
    found = read_uvl("features\n\tA {" + "b [c, d]," * 100_000 + "constraints [A => A, !A => A]}\n")
    assert found.notes == ("100000 attributes are left out: no constraint speaks of them.",)
    assert len(found.rules.rules) == 3
    root = parse_xml("<a>" + ("<b/>" + "x" * 36) * 50_000 + "</a>")
    assert (len(root.children), len(root.text)) == (50_000, 36 * 50_000)
    assert time.process_time() - began < LIMIT


@pytest.mark.parametrize(
    ("policy", "more", "rows", "words"),
    [
        ("COLLECT", 'aggregation="MIN"', [("1", '"a"')], "MIN is taken of numbers; row 1 has none"),
        ("COLLECT", 'aggregation="MAX"', [("1", "1"), ("2", "")], "MAX is taken of numbers; row 2 has none"),
        ("COLLECT", 'aggregation="MEAN"', [("1", "1")], "The aggregation 'MEAN' is none"),
        ("UNIQUE", "", [('"a\\nb"', "1")], "is not read"),
    ],
)
def test_what_a_table_cannot_mean_is_refused_with_its_line(policy, more, rows, words):
    with pytest.raises(RuleError, match=words) as caught:
        read_dmn(tables(policy, rows, more))
    assert caught.value.where.startswith("line ")


def test_an_aggregation_beside_another_policy_is_left_out_with_a_note():
    found = read_dmn(tables("UNIQUE", [("1", "1")], 'aggregation="MIN"'))
    assert found.notes == ("D: an aggregation counts with COLLECT alone and is left out.",)


def test_names_keep_their_blanks():
    model = read_uvl('features\n\t"a  b"\n\t\toptional\n\t\t\t"c\\d"\nconstraints\n\t"a  b" => "c\\d"\n')
    assert [v.name for v in model.rules.vocabulary.variables] == ["a  b", "c\\d"]
    table = read_dmn(
        tables("UNIQUE", [('"u  v"', '"p  q"'), ('"w"', '"\\"\\\\"')]).replace('"D"', '"D \n D"')
    )
    assert table.rules.vocabulary.decided[0] == Variable(
        "D D", "category", values=("p  q", '"\\'), text="decided by a table"
    )
    assert table.rules.vocabulary.given[0].values == ("u  v", "w", "(other)")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_no_file_of_rules(tmp_path):
    os.mkfifo(tmp_path / "rules.uvl")
    with pytest.raises(RuleError, match="It is not a plain file"):
        read_rules(tmp_path / "rules.uvl")
