"""logic/pack_file.py and logic/packs.py: packs from files, several as one, and what can be wrong."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PolybitError, RuleError
from engine.logic.pack_file import MOST_DOTS, MOST_LINE, read_pack
from engine.logic.packs import MOST_BYTES, combined, load_pack, origins_of, pack_of
from engine.logic.vocabulary import Vocabulary

GOOD = '''# A pack
[pack]
title = "Colds"
domain = "medical"
text = "Fever and flu."
licence = "CC0-1.0"
date = "2026-11-26"

[[sources]]
id = "book"
title = "A book"
url = "https://example.org/book"

[variables]
fever = { kind = "flag", given = true, text = "fever" }
degrees = { kind = "number", given = true, least = 30, most = 45, unit = "°C" }
flu = { kind = "flag", text = "flu" }

[variables.triage]
kind = "category"
values = ["red", "green"]

[rules]
text = """
rule fever_first: if flu = yes then fever = yes
  because "No flu without fever"
  source "book page 3"
rule red: if flu = yes then triage = red
"""

[[samples]]
name = "well"
facts = { fever = false, degrees = 37 }
answer = { flu = false, triage = "green" }
keeps = true

[[samples]]
name = "no fever"
facts = { fever = false, degrees = 36.5 }
answer = { flu = true, triage = "green" }
keeps = false
breaks = ["fever_first", "red"]
'''


def test_a_pack_is_read_whole():
    pack = read_pack(GOOD, "colds")
    assert (pack.key, pack.title, pack.domain, pack.about) == ("colds", "Colds", "medical", "Fever and flu.")
    assert [v.name for v in pack.vocabulary.variables] == ["fever", "degrees", "flu", "triage"]
    assert [v.name for v in pack.vocabulary.decided] == ["flu", "triage"]
    assert [s.name for s in pack.statements] == ["fever_first", "red"]
    assert pack.source_of(pack.statements[0]) == pack.sources[0]
    assert pack.source_of(pack.statements[1]) is None
    assert pack.sources[0].checked == ""
    assert not pack.confirmed(pack.statements[0])
    assert pack.samples[0].keeps
    assert pack.samples[1].breaks == ("fever_first", "red")
    assert pack.samples[1].facts == {"fever": False, "degrees": 36.5}


CHECKED = GOOD.replace(
    'url = "https://example.org/book"',
    """url = "https://example.org/book"
checked = "2026-11-27"
compared = "page 3"
read = ["https://example.org/copy"]""",
)


def test_a_source_says_what_was_compared_with_it_and_what_was_not_found():
    pack = read_pack(CHECKED, "colds")
    source = pack.sources[0]
    assert (source.checked, source.compared, source.read) == (
        "2026-11-27",
        "page 3",
        ("https://example.org/copy",),
    )
    assert [pack.confirmed(statement) for statement in pack.statements] == [True, False]  # red names none
    assert pack.compared == 1
    doubtful = read_pack(CHECKED.replace("read = [", 'unconfirmed = ["fever_first"]\nread = ['), "colds")
    assert doubtful.compared == 0
    twice = combined([doubtful, replace(doubtful, key="again")])
    assert [s.id for s in twice.sources] == ["book"]
    assert twice.sources[0].unconfirmed == ("colds: fever_first", "again: fever_first")
    assert twice.compared == 0
    both = combined([doubtful, replace(read_pack(GOOD, "other"))])
    assert [s.id for s in both.sources] == ["colds/book", "other/book"]


WRONG = {
    "no toml": (GOOD, "title =", "title", "line 3"),
    "unknown key": (GOOD, 'domain = "medical"', 'domian = "medical"', "line 4, pack.domian"),
    "no title": (GOOD, 'title = "Colds"\n', "", "line 2, pack"),
    "wrong type": (GOOD, 'title = "Colds"', "title = 3", "line 3, pack.title"),
    "no date": (GOOD, "2026-11-26", "26 Nov", "line 7, pack.date"),
    "bad url": (GOOD, "https://example.org/book", "book", "line 12, sources[1].url"),
    "bad checked": (CHECKED, "2026-11-27", "today", "line 13, sources[1].checked"),
    "no checked": (CHECKED, 'checked = "2026-11-27"', "", "line 9, sources[1]"),
    "bad read": (CHECKED, "https://example.org/copy", "a copy", "line 15, sources[1].read"),
    "no list": (CHECKED, '["https://example.org/copy"]', '"page"', "line 15, sources[1].read"),
    "who is it": (CHECKED, "read = [", 'unconfirmed = ["red"]\nread = [', "line 15, sources[1].unconfirmed"),
    "bad id": (GOOD, 'id = "book"', 'id = "the book"', "line 10, sources[1].id"),
    "kind": (GOOD, 'kind = "category"', 'kind = "categories"', "line 20, variables.triage.kind"),
    "values twice": (GOOD, '"red", "green"', '"red", "red"', "line 19, variables.triage"),
    "no values": (GOOD, 'values = ["red", "green"]', "", "line 19, variables.triage"),
    "least above most": (GOOD, "least = 30", "least = 50", "line 16, variables.degrees"),
    "no least": (GOOD, "least = 30, ", "", "line 16, variables.degrees"),
    "huge": (GOOD, "least = 30", "least = " + "9" * 300, "line 16, variables.degrees.least"),
    "huge hex": (GOOD, "least = 30", "least = 0x" + "F" * 3900, "line 16, variables.degrees.least"),
    "nan": (GOOD, "least = 30", "least = nan", "line 16, variables.degrees.least"),
    "syntax": (GOOD, "then fever = yes", "then fever = = yes", "line 25, column 45, rules"),
    "name": (GOOD, "then fever = yes", "then fewer = yes", "line 25, column 37, rules"),
    "no source": (GOOD, "book page 3", "bok page 3", "line 25, column 1, rules"),
    "sample": (GOOD, "fever = false, degrees = 37", "fewer = false", "line 33, samples[1].facts.fewer"),
    "decided": (GOOD, "degrees = 37 }", "flu = true }", "line 33, samples[1].facts.flu"),
    "value": (GOOD, 'triage = "green" }\nkeeps = true', 'triage = "blue" }\nkeeps = true', "line 34"),
    "flag": (GOOD, "flu = false", "flu = 0", "line 34, samples[1].answer.flu"),
    "keeps": (GOOD, "keeps = true", "keeps = false", "line 35, samples[1].keeps"),
    "breaks": (GOOD, '"fever_first", "red"', '"fever_last"', "line 42, samples[2].breaks"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_a_sentence_with_its_line(case):
    text, old, new, where = WRONG[case]
    assert old in text
    with pytest.raises(RuleError) as caught:
        read_pack(text.replace(old, new, 1), "colds")
    assert caught.value.where.startswith(where)
    assert caught.value.what.endswith(".")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text_too_large_or_missing(tmp_path):
    path = tmp_path / "odd.toml"
    with pytest.raises(RuleError, match="cannot be read"):
        load_pack(path)
    with pytest.raises(RuleError, match="not a plain file"):
        load_pack(tmp_path)
    path.write_bytes(b"\xff\xfe[pack]")
    with pytest.raises(RuleError, match=r"odd\.toml: It is text in UTF-16\. Save it as UTF-8\."):
        load_pack(path)
    path.write_bytes(b"[pack]\xff")
    with pytest.raises(RuleError, match=r"odd\.toml: Byte 7 is no UTF-8"):
        load_pack(path)
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(RuleError, match=r"odd\.toml: The file has"):
        load_pack(path)
    path.write_text("x = " + "[" * 3000 + "]" * 3000)
    with pytest.raises(RuleError, match=r"odd\.toml"):
        load_pack(path)
    path.write_text("a." * MOST_DOTS + ".a = 1")
    with pytest.raises(RuleError, match="line 1: The line has more than 100 dots"):
        load_pack(path)
    path.write_text("a." * MOST_LINE + "a = 1")
    with pytest.raises(RuleError, match="characters"):
        load_pack(path)
    path.write_text(GOOD)
    assert load_pack(path).key == "odd"


def outcome_of(text):
    try:
        return read_pack(text, "mutated").title
    except PolybitError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_files_get_a_sentence_or_are_read(data):
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 6))
        new = data.draw(st.text("\"'[]{}=.,\n#0919truefalsenaninf-+e_\\\x00é", max_size=6))
        text = text[:at] + new + text[at + cut :]
    said = outcome_of(text)
    assert said
    assert "\n" not in said


def test_one_pack_combined_is_itself_and_none_is_an_error():
    pack = read_pack(GOOD, "colds")
    assert combined([pack]) is pack
    with pytest.raises(RuleError, match="no pack"):
        combined([])
    with pytest.raises(RuleError, match="There is no domain pack 'nothing'"):
        pack_of("nothing")


def test_rules_and_sources_of_one_name_get_the_pack_before_them():
    one = read_pack(GOOD, "one")
    two = read_pack(
        GOOD.replace("A book", "Another book")
        .replace("rule red:", "rule green:")
        .replace('"fever_first", "red"', '"fever_first", "green"'),
        "two",
    )
    both = combined([one, two])
    assert both.key == "one+two"
    assert [s.name for s in both.statements] == ["one: fever_first", "red", "two: fever_first", "green"]
    assert origins_of([one, two]) == dict(
        zip([s.name for s in both.statements], ["one", "one", "two", "two"], strict=True)
    )
    assert [s.id for s in both.sources] == ["one/book", "two/book"]
    assert both.source_of(both.statements[2]).title == "Another book"
    assert both.statements[2].source == "two/book page 3"
    assert len(both.vocabulary.variables) == 4
    same = combined([one, replace(one, key="three")])
    assert [s.id for s in same.sources] == ["book"]


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("triage", {"values": ("red", "green", "blue")}, "its values is {red, green} or {red, green, blue}"),
        ("degrees", {"least": 20}, "its least is 30 or 20"),
        ("degrees", {"unit": "K"}, "its unit is °C or K"),
        ("degrees", {"kind": "integer"}, "its kind is number or integer"),
        ("flu", {"given": True}, "one is given it, the other decides it"),
    ],
)
def test_variables_of_one_name_must_agree(name, changed, says):
    one = read_pack(GOOD, "one")
    variables = [replace(v, **changed) if v.name == name else v for v in one.vocabulary.variables]
    two = replace(one, key="two", vocabulary=Vocabulary(tuple(variables)))
    with pytest.raises(RuleError, match=re.escape(f"one and two mean different things by {name!r}: {says}.")):
        combined([one, two])


def test_what_is_nested_too_deep_is_refused_at_the_line_that_opens_most():
    text = "[pack]\n" + "a = [\n" + "[[[[[[[[[[\n" * 200 + "]]]]]]]]]]\n" * 200 + "]\n"
    with pytest.raises(RuleError, match="nested too deep") as caught:
        read_pack(text, "deep")
    assert caught.value.where == "line 202"
