"""logic/dimacs.py: CNF and WCNF in and out; one sentence with the line for what is malformed."""

import gzip
import itertools
import re
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.formula import CNF, WCNF

from engine.errors import RuleError
from engine.logic import dimacs
from engine.logic.dimacs import dimacs_text, parse_dimacs, read_dimacs
from engine.logic.normal import AtLeast, NormalForm

ANOTHER = "\N{ARABIC-INDIC DIGIT ONE}"
MALFORMED = {
    "nothing": ("", "line 1: There is no header and no clause"),
    "only comments": ("c hello\nc there\n", "line 2: There is no header"),
    "no header": ("1 2 0\n", "line 1: A clause stands before the header"),
    "another problem": ("p sat 3 2\n", "line 1: This is no header"),
    "a header cut short": ("c x\np cnf 3\n", "line 2: This is no header"),
    "a header of words": ("p cnf three 2\n", "line 1: 'three' is not a number of the header"),
    "a negative count": ("p cnf -3 2\n", "line 1: The header says -3 variables"),
    "a bomb of a header": (
        "p cnf 999999999999 1\n1 0\n",
        "line 1: The header says 999,999,999,999 variables",
    ),
    "two headers": ("p cnf 2 1\np cnf 2 1\n1 0\n", "line 2: This is a second header"),
    "a literal of no variable": ("p cnf 2 2\n1 -2 0\n1 3 0\n", "line 3: The literal 3 is of no variable"),
    "a word": ("p cnf 2 1\n1 or 2 0\n", "line 2: 'or' is not a literal"),
    "a fraction": ("p cnf 2 1\n1.5 0\n", "line 2: '1.5' is not a literal"),
    "minus nothing": ("p cnf 2 1\n1 -0\n", "line 2: '-0' is no literal"),
    "a clause without its end": (
        "p cnf 3 2\n1 2 0\n-1\n3",
        "line 3: The clause that begins here is not ended",
    ),
    "a clause missing": ("p cnf 3 3\n1 2 0\n-1 3 0\n", "line 3: The header promises 3 clauses"),
    "a clause too many": ("p cnf 3 1\n1 2 0\n-1 3 0\n", "line 3: There are more clauses than the 1"),
    "a number of 5000 digits": (
        "p cnf 3 1\n" + "1" * 5000 + " 0\n",
        "line 2: 11111111111111111111... has 5,000 digits",
    ),
    "a second header at the end": ("p cnf 2 1\n1 0\np cnf 2 1\n", "line 3: This is a second header"),
    "too few clauses before the end mark": (
        "p cnf 3 3\n1 2 0\n2 3 0\n%\n0\n\n",
        "line 4: The header promises 3 clauses",
    ),
    "a literal 0 inside": ("p cnf 3 2\n1 0 2 0\n2 3 0\n", "line 3: There are more clauses than the 2"),
    "a negative count of clauses": ("p cnf 3 -2\n1 0\n", "line 1: The header says -2 clauses"),
    "a bomb of clauses": ("p cnf 3 999999999999\n1 0\n", "line 1: The header says 999,999,999,999 clauses"),
    "not a number": ("p cnf nan 2\n1 0\n", "line 1: 'nan' is not a number of the header"),
    "a header with a top": ("p cnf 3 1 9\n1 0\n", "line 1: This is no header"),
    "a header in capitals": ("P CNF 3 1\n1 0\n", "line 1: A clause stands before the header; got 'P'"),
    "only a p": ("p\n1 0\n", "line 1: This is no header: 'p'"),
    "commas": ("p cnf 3 1\n1, 2, 0\n", "line 2: '1,' is not a literal"),
    "a plus": ("p cnf 3 1\n+1 2 0\n", "line 2: '+1' is not a literal"),
    "hexadecimal": ("p cnf 3 1\n0x1 0\n", "line 2: '0x1' is not a literal"),
    "a comment behind a clause": ("p cnf 3 1\n1 2 0 c so\n", "line 2: 'c' is not a literal"),
    "a NUL": ("p cnf 3 1\n1 \0 2 0\n", "line 2: '\\x00' is not a literal"),
    "quantifiers": ("p cnf 3 1\na 1 0\n2 0\n", "line 2: 'a' is not a literal"),
    "an xor clause": ("p cnf 3 1\nx1 2 0\n", "line 2: 'x1' is not a literal"),
    "a solver's answer": ("s SATISFIABLE\nv 1 0\n", "line 1: A clause stands before the header; got 's'"),
    "a page of the web": ("<!DOCTYPE html>\n<p>404\n", "line 1: A clause stands before the header"),
    "two variables of one name": (
        "c variable 1 a\nc variable 2 a\np cnf 2 1\n1 0\n",
        "line 2: Two variables are named 'a'",
    ),
    "an endless line": ("p cnf 3 2\n" + "1 2 " * 100_000, "line 2: The clause that begins here is not ended"),
    "a word of a million digits": (
        "p cnf 3 2\n" + "1" * 1_000_000,
        "line 2: 11111111111111111111... has 1,000",
    ),
    "an error far below": (
        "c so\n\np cnf 3 20001\n" + "1 -2 0\n" * 20_000 + "c x\n2 y 0\n",
        "line 20005: 'y' is not a literal",
    ),
    "a second header far below": (
        "p cnf 3 20001\n" + "1 -2 0\n" * 20_000 + "p cnf 3 1\n2 0\n",
        "line 20002: This is a second header",
    ),
    "a literal of no variable far below": (
        "p cnf 3 20001\n" + "1 -2 0 " * 20_000 + "\n-4 0\n",
        "line 3: The literal -4 is of no variable",
    ),
    "a comment behind the clauses of a long line": (
        "p cnf 3 20001\n" + "1 -2 0 " * 20_000 + "c so\n2 0\n",
        "line 2: 'c' is not a literal",
    ),
    "a clause too many far below": (
        "p cnf 3 20000\n" + "1 -2 0\n" * 20_001,
        "line 20002: There are more clauses than the 20,000",
    ),
    "a clause missing far below": (
        "p cnf 3 20002\n" + "1 -2 0\n" * 20_001,
        "line 20002: The header promises 20,002 clauses; the file ends after 20,001",
    ),
    "digits of another script": (f"p cnf 3 1\n{ANOTHER} 0\n", f"line 2: {ANOTHER!r} is not a literal"),
}
MALFORMED_WEIGHTED = {
    "no weight": ("p wcnf 2 1 9\n0\n", "line 2: A weight is 1 to"),
    "a negative weight": ("p wcnf 2 1 9\n-3 1 0\n", "line 2: A weight is 1 to"),
    "a huge weight": ("99999999999999 1 0\n", "line 1: A weight is 1 to"),
    "hard under a header": ("p wcnf 2 1 9\nh 1 0\n", "line 2: 'h' stands only where there is no header"),
    "nothing in a weighted file": ("", "line 1: There is no header and no clause"),
    "a weight of 0": ("p wcnf 3 1 9\n0 1 2 0\n", "line 2: A weight is 1 to 1,099,511,627,776; got 0"),
    "a weight of 0 without a top": (
        "p wcnf 3 1\n0 1 2 0\n",
        "line 2: A weight is 1 to 1,099,511,627,776; got 0",
    ),
    "a weight beyond 64 bits": (
        "p wcnf 3 1\n99999999999999999999999 1 0\n",
        "line 2: 99999999999999999999... has 23 digits: a weight has at most 19",
    ),
    "a fraction of a weight": ("p wcnf 3 1 9\n0.5 1 0\n", "line 2: '0.5' is not a weight"),
    "a weight above the top": (
        "p wcnf 3 1 2\n5 1 0\n",
        "line 2: The weight 5 is above the top of the header, 2",
    ),
    "a top of 0": ("p wcnf 3 1 0\n5 1 0\n", "line 1: The header says 0 as its top"),
    "a top beyond 64 bits": (
        "p wcnf 3 1 99999999999999999999\n5 1 0\n",
        "line 1: 99999999999999999999... has 20",
    ),
    "h in capitals": ("H 1 0\n", "line 1: 'H' is not a weight"),
    "only h": ("h\n", "line 1: The clause that begins here is not ended"),
    "a literal of no variable": ("h 1000001 0\n", "line 1: The literal 1000001 is of no variable"),
    "a weight far below": ("3 1 0\n" * 20_000 + "0 1 0\n", "line 20001: A weight is 1 to"),
    "a late header": ("h 1 0\np wcnf 2 1 9\n", "line 2: This is a header after the first clause"),
    "only a weight": ("h 1 0\n7", "line 2: The clause that begins here is not ended"),
}


@pytest.mark.parametrize(("text", "sentence"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_cnf_gets_one_sentence_with_its_line(text, sentence, tmp_path):
    path = tmp_path / "bad.cnf"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        read_dimacs(path)
    assert str(caught.value).startswith("bad.cnf, " + sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "sentence"), MALFORMED_WEIGHTED.values(), ids=MALFORMED_WEIGHTED)
def test_a_malformed_wcnf_gets_one_sentence_with_its_line(text, sentence):
    with pytest.raises(RuleError) as caught:
        parse_dimacs(text, weighted=True)
    assert str(caught.value).startswith(sentence)


UNREADABLE = {
    "gzip": (gzip.compress(b"p cnf 1 1\n1 0\n"), "It is packed with gzip. Unpack it first."),
    "zip": (b"PK\x03\x04\x14\x00", "It is packed with zip."),
    "UTF-16": ("p cnf 1 1\n1 0\n".encode("utf-16"), "It is text in UTF-16. Save it as UTF-8."),
    "any bytes": (bytes(range(256)), "Byte 129 is no UTF-8 text."),
    "no UTF-8 in a clause": (b"p cnf 1 1\n\xe4 0\n", "line 2: '\N{REPLACEMENT CHARACTER}' is not a literal."),
    "no UTF-8 in a name": (b"c variable 1 \xe4\np cnf 1 1\n1 0\n", "line 1: The name in this comment is no"),
}


@pytest.mark.parametrize(("data", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_packed_or_no_text_gets_one_sentence(data, sentence, tmp_path):
    (tmp_path / "bad.cnf").write_bytes(data)
    with pytest.raises(RuleError) as caught:
        read_dimacs(tmp_path / "bad.cnf")
    assert re.match(rf"bad\.cnf[:,] {re.escape(sentence)}", str(caught.value))


PLAIN = "p cnf 3 2\n1 -2 0\n2 3 0\n"
AS_OTHERS_WRITE = {
    "ends of lines of Windows": PLAIN.replace("\n", "\r\n").encode(),
    "ends of lines of old machines": PLAIN.replace("\n", "\r").encode(),
    "a mark of byte order": PLAIN.encode("utf-8-sig"),
    "SATLIB": ("c x\n" + PLAIN + "%\n0\n\n").encode(),
    "comments in the middle": b"c\np cnf 3 2\n1\nc so\ncomment\n-2 0\n2 3 0\n",
    "comments in no UTF-8": "c Gr\u00fc\u00dfe\n".encode("latin-1") + PLAIN.encode(),
    "one line": b"p cnf 3 2\n1 -2 0 2 3 0",
}


@pytest.mark.parametrize("data", AS_OTHERS_WRITE.values(), ids=AS_OTHERS_WRITE)
@pytest.mark.parametrize("least", [0, dimacs._MOST_WORDS], ids=["long", "short"])
def test_files_as_others_write_them_are_read(data, least, tmp_path, monkeypatch):
    monkeypatch.setattr(dimacs, "_MOST_WORDS", least)
    (tmp_path / "other.cnf").write_bytes(data)
    form = read_dimacs(tmp_path / "other.cnf")
    assert [c.literals for c in form.constraints] == [(1, -2), (2, 3)]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["p cnf 3 2", "p wcnf 3 2 9", "1 -2 0", "3 1 0", "c so", "%", "h 1 0", "1", "0 2", ""]
        )
    ),
    st.booleans(),
    st.sampled_from(["\n", "\n ", " "]),
)
def test_long_files_are_read_and_refused_as_short_ones_are(lines, weighted, between):
    text = between.join(lines)
    said = []
    for least in (0, dimacs._MOST_WORDS):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dimacs, "_MOST_WORDS", least)
            try:
                form = parse_dimacs(text, weighted=weighted)
                said.append((form.variables, form.constraints, form.rules, form.costs.tolist()))
            except RuleError as error:
                said.append(str(error))
    assert said[0] == said[1]


def test_a_file_of_many_clauses_is_read_soon():
    rows = "1 -2 3 0\n" * 200_000
    began = time.process_time()
    form = parse_dimacs("p cnf 3 200000\n" + rows)
    assert len(form.constraints) == 200_000
    assert form.rules[-1] == "clause 200000 (line 200001)"
    assert time.process_time() - began < 3  # 0.5 s on a quiet core, word by word 4


def test_a_file_that_is_not_there_not_text_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(RuleError, match="cannot be read"):
        read_dimacs(tmp_path / "none.cnf")
    (tmp_path / "packed.cnf").write_bytes(b"p cnf 1 1\n\xff\x00")
    with pytest.raises(RuleError, match="Byte 11 is no UTF-8 text"):
        read_dimacs(tmp_path / "packed.cnf")
    monkeypatch.setattr(dimacs, "MOST_BYTES", 8)
    with pytest.raises(RuleError, match="at most 8 are read"):
        read_dimacs(tmp_path / "packed.cnf")


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("pcnfwh%-0123 \n\tx" + ANOTHER), max_size=60), st.booleans())
def test_any_text_is_read_or_refused_in_a_sentence(text, weighted):
    with suppress(RuleError):
        form = parse_dimacs(text, weighted=weighted)
        assert parse_dimacs(dimacs_text(form), weighted=weighted).given == 0


def test_clauses_may_span_lines_repeat_themselves_and_say_nothing():
    form = parse_dimacs("c variable 2 fever\np cnf 3 4\n1\n-2 0 3 3 0\n1 -1 0 0\n%\n0\n")
    assert form.variables == ("x1", "fever", "x3")
    assert [c.literals for c in form.constraints] == [(1, -2), (3,), ()]
    assert form.rules[3] == "clause 4 (line 5)"
    assert form.constraints[2].rule == 3


def test_soft_clauses_become_variables_that_let_go():
    old = parse_dimacs("p wcnf 2 3 10\n10 1 2 0\n3 -1 0\n4 -2 0\n")
    new = parse_dimacs("h 1 2 0\n3 -1 0\n4 -2 0\n", weighted=True)
    assert old.constraints == new.constraints
    assert [c.literals for c in old.constraints] == [(1, 2), (-1, -3), (-2, -4)]
    assert old.costs.tolist() == [0, 0, 3, 4]
    assert old.defaults.tolist() == [False, False, True, True]


@st.composite
def files(draw):
    count = draw(st.integers(1, 6))
    literal = st.integers(1, count).flatmap(lambda v: st.sampled_from([v, -v]))
    clauses = draw(st.lists(st.lists(literal, min_size=1, max_size=4), max_size=6))
    weights = draw(st.lists(st.integers(1, 9), min_size=len(clauses), max_size=len(clauses)))
    hard = draw(st.lists(st.booleans(), min_size=len(clauses), max_size=len(clauses)))
    return count, clauses, weights, hard


@settings(max_examples=150, deadline=None)
@given(files())
def test_what_is_written_reads_back_the_same_and_python_sat_reads_the_same(made):
    count, clauses, weights, hard = made
    rows = [[99 if h else w, *c, 0] for w, h, c in zip(weights, hard, clauses, strict=True)]
    text = f"p wcnf {count} {len(rows)} 99\n" + "".join(" ".join(map(str, row)) + "\n" for row in rows)
    form = parse_dimacs(text)
    again = parse_dimacs(dimacs_text(form), weighted=True)
    assert sorted(c.literals for c in again.constraints) == sorted(c.literals for c in form.constraints)
    assert again.costs.tolist() == form.costs.tolist()
    theirs = WCNF(from_string=text)
    for values in itertools.product((False, True), repeat=count):
        expected = [
            sum(w for w, c in zip(theirs.wght, theirs.soft, strict=True) if not _true(c, values)),
            all(_true(c, values) for c in theirs.hard),
        ]
        kept = np.concatenate([np.array(values), np.ones(len(form.variables) - count, bool)])
        broken = [c for c, held in zip(form.constraints, form.holds(kept[None])[0], strict=True) if not held]
        soft = [c for c in broken if -c.literals[-1] > count]
        cost = sum(int(form.costs[-c.literals[-1] - 1]) for c in soft)
        assert [cost, len(soft) == len(broken)] == expected


def test_counts_and_costs_are_written_as_clauses():
    form = NormalForm(
        ("x1", "x2", "x3"),
        0,
        (AtLeast((1, 2, 3), 2, rule=0), AtLeast((-1, -2), 3, (3, 2), rule=1)),
        ("two", "not 1"),
        np.array([False, True, False]),
        np.array([0, 5, 2]),
    )
    text = dimacs_text(form)
    read = parse_dimacs(text)
    assert text.startswith("p wcnf ")
    theirs = WCNF(from_string=text)
    assert theirs.soft == [[2], [-3]]
    assert theirs.wght == [5, 2]
    assert len(read.rules) == len(theirs.hard) + 2
    hard = NormalForm(form.variables, 0, form.constraints, form.rules, form.defaults, np.zeros(3, np.int64))
    assert CNF(from_string=dimacs_text(hard)).clauses == theirs.hard


def _true(clause, values):
    return any(values[abs(x) - 1] == (x > 0) for x in clause)
