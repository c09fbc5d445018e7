"""logic/readers/uvl.py: configurations counted by hand and by enumeration; what is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PolybitError, RuleError
from engine.logic.lowering import lowered
from engine.logic.pipeline import Engine
from engine.logic.readers import read_rules
from engine.logic.readers.uvl import read_uvl

# After figure 1 of Benavides, Segura, Ruiz-Cortés 2010, Automated analysis of feature models 20 years later.
PHONE = """\
namespace phone

features
    MobilePhone
        mandatory
            Calls
            Screen {abstract}
                alternative
                    Basic
                    Colour
                    "High resolution" {price 300, note 'x'}
        optional
            GPS
            Media
                or
                    Camera // takes pictures
                    MP3

/* across
   the tree */
constraints
    Camera => "High resolution"
    !(GPS & Basic)
"""


def configurations(text):
    rules = read_uvl(text).rules
    names = [v.name for v in rules.vocabulary.decided]
    every = np.array(list(itertools.product((0, 1), repeat=len(names))), np.int64)
    kept = ~rules.broken(np.zeros((len(every), 0)), every).any(1)
    return [{name for name, on in zip(names, row, strict=True) if on} for row in every[kept]]


def test_the_phone_has_fourteen_products():
    found = configurations(PHONE)
    assert len(found) == 14
    assert all({"MobilePhone", "Calls", "Screen"} <= one for one in found)
    assert all("High resolution" in one for one in found if "Camera" in one)
    assert not any({"GPS", "Basic"} <= one for one in found)
    document = read_uvl(PHONE)
    assert document.notes == ("2 attributes are left out: no constraint speaks of them.",)
    assert [v.name for v in document.vocabulary.variables][:3] == ["MobilePhone", "Calls", "Screen"]


def test_the_normal_form_counts_the_same():
    form = lowered(read_uvl(PHONE).rules).form
    every = np.array(list(itertools.product((False, True), repeat=len(form.variables))), bool)
    first = len(read_uvl(PHONE).vocabulary.variables)
    kept = every[form.holds(every).all(1)]
    assert len({tuple(row[:first]) for row in kept}) == 14


GROUPS = {
    "mandatory": ("mandatory", 1),
    "optional": ("optional", 8),
    "or": ("or", 7),
    "alternative": ("alternative", 3),
    "[1..2]": ("[1..2]", 6),
    "[2]": ("[2]", 3),
    "[0..1]": ("[0..1]", 4),
    "[2..*]": ("[2..*]", 4),
    "[0..3]": ("[0..3]", 8),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_of_three(case):
    group, count = GROUPS[case]
    text = f"features\n\tR\n\t\t{group}\n\t\t\tA\n\t\t\tB\n\t\t\tC\n"
    assert len(configurations(text)) == count


@pytest.mark.parametrize(
    ("constraint", "count"),
    [
        ("A => B", 3),
        ("A <=> B", 2),
        ("!A | !B", 3),
        ("A & B", 1),
        ("!(A | B)", 1),
        ("A => B => A", 2),
        ("!A => B", 3),
    ],
)
def test_constraints_over_two_free_features(constraint, count):
    assert (
        len(configurations(f"features\n  R\n    optional\n      A\n      B\nconstraints\n  {constraint}\n"))
        == count
    )


def test_constraints_in_attributes_count():
    text = "features\n R\n  optional\n   A {constraint A => B, price 3}\n   B {constraints [!A | B, B]}\n"
    assert sorted(map(sorted, configurations(text))) == [["A", "B", "R"], ["B", "R"]]


def test_comments_and_attributes_of_any_shape_are_left_out():
    text = (
        "// first\nfeatures\t\n  R {url 'http://x.org', Package {Name 'P', Size 2}} // last\n"
        "    optional\n\n      \"a // b\" /* one */ {n 'it, {is}', flag true}\n/* features\n  X */\n"
        "constraints\n\n"
        '  "a // b" => R // yes\n'
    )
    assert sorted(map(sorted, configurations(text))) == [["R"], ["R", "a // b"]]


def test_a_large_random_tree_is_read_with_all_its_features():
    rng = np.random.default_rng(3)
    lines, count = ["features", "\tF0"], 1
    open_ = [("F0", 2)]
    while count < 150:
        parent, depth = open_.pop(int(rng.integers(0, len(open_))))
        kind = ("mandatory", "optional", "or", "alternative", "[1..2]")[int(rng.integers(0, 5))]
        names = [f"F{count + i}" for i in range(int(rng.integers(2, 6)))]
        at = lines.index("\t" * (depth - 1) + parent) + 1
        lines[at:at] = ["\t" * depth + kind, *("\t" * (depth + 1) + name for name in names)]
        open_ += [(name, depth + 2) for name in names]
        count += len(names)
    document = read_uvl("\n".join(lines))
    form = lowered(document.rules).form
    assert len(document.vocabulary.variables) == count
    found = Engine(form)(
        np.zeros((1, len(form.variables)), bool), np.ones((1, len(form.variables)), np.int64)
    )
    assert form.holds(found.values).all()
    assert found.values[0, 0]


# The last three levels after examples of github.com/Universal-Variability-Language/uvl-parser, test_models.
@pytest.mark.parametrize(
    ("model", "constraints", "expected"),
    [
        ("A {Price 2}\n  optional\n   B {Price 2}\n   C {Price 5}", "sum(Price) == 7", ["AC"]),
        ("A {Price 2}\n  optional\n   B {Price 2}\n   C {Price 5}", "avg(Price) == 3.5", ["AC"]),
        ("A {Price 2}\n  optional\n   B {Price 2}\n   C {Price 5}", "3 >= avg(Price)", ["A", "AB", "ABC"]),
        ("A\n  or\n   B {Price 3}\n   C {Price 5}", "B.Price + C.Price == 8", ["ABC"]),
        ("A\n  or\n   B {Price 3}\n   C {Price 5}", "2 * (B.Price - 1) > C.Price / 2", ["AB", "ABC"]),
        ("A\n  or\n   B {Price 3}\n   C {Price -5}", "!(sum(Price) != -5) | C.Price >= 0", ["AB", "AC"]),
        ("A\n  or\n   B cardinality [1] {Price 3}\n   C", "B.Price >= 3 <=> C", ["ABC"]),
    ],
)
def test_attributes_are_compared_where_their_features_are_chosen(model, constraints, expected):
    text = f"include\n Arithmetic\nfeatures\n {model}\nconstraints\n {constraints}\n"
    assert sorted("".join(sorted(one)) for one in configurations(text)) == expected
    assert "An attribute counts as 0 where its feature is not chosen." in read_uvl(text).notes


def test_values_of_typed_features_are_facts():
    text = (
        "include\n  Type\nfeatures\n  Bike {Maker 'Wheelio'}\n    mandatory\n      Integer Inch\n"
        '      String Maker\n    optional\n      "Training Wheels"\nconstraints\n'
        '  20 < Inch & Inch <= 28\n  Inch > 22 => !"Training Wheels"\n'
        "  Maker == Bike.Maker | Maker != 'Other'\n"
    )
    found = read_uvl(text)
    assert [(v.name, v.values) for v in found.vocabulary.given] == [
        ("Inch (value)", ()),
        ("Maker (value)", ("Wheelio", "Other", "(other)")),
    ]
    assert found.notes == (
        "An attribute counts as 0 where its feature is not chosen.",
        "What typed features are set to are facts: Inch (value), Maker (value).",
    )
    rules, one = found.rules, np.array([[1, 1, 1, 1]])
    cases = {(21, 0): True, (24, 0): False, (20, 0): False, (21, 1): False, (np.nan, 2): True}
    for facts, kept in cases.items():
        assert rules.broken(np.array([facts], float), one).any() != kept


WRONG = {
    "no features": ("namespace x\n", "line 1"),
    "two roots": ("features\n  A\n  B\n", "line 3, column 3"),
    "no group": ("features\n  A\n    B\n", "line 3, column 5"),
    "empty group": ("features\n  A\n    or\n", "line 3, column 5"),
    "twice": ("features\n  A\n    or\n      A\n", "line 4, column 7"),
    "cardinality": ("features\n  A\n    [2..5]\n      B\n      C\n", "line 3, column 5"),
    "length": ("features\n  String A\nconstraints\n  len(A) < 3\n", "line 4, column 3"),
    "two names": ("features\n  A {x 1}\nconstraints\n  A & sum(A, x) < 3\n", "line 4, column 7"),
    "no attribute": ("features\n  A {x 1}\nconstraints\n  sum(y) < 3\n", "line 4, column 3"),
    "open texts": ("features\n  String A {x 'a'}\nconstraints\n  A == A\n", "line 4, column 3"),
    "text and number": ("features\n  A {x 'a'}\nconstraints\n  3 < A.x\n", "line 4, column 3"),
    "product": ("features\n  A {x 1, y 2}\nconstraints\n  A.x * A.y < 3\n", "line 4, column 3"),
    "number alone": ("features\n  A {x 1}\nconstraints\n  A => 3\n", "line 4, column 8"),
    "sum alone": ("features\n  A {x 1}\nconstraints\n  A & (A.x + 1)\n", "line 4, column 8"),
    "condition": ("features\n  A {x 1}\nconstraints\n  (A | A) + 1 < 3\n", "line 4, column 4"),
    "clone": ("features\n  A cardinality [1..3]\n", "line 2, column 3"),
    "imports": ("imports\n  other\nfeatures\n  A\n", "line 2, column 3"),
    "section": ("feature\n  A\n", "line 1, column 1"),
    "before": ("  A\n", "line 1, column 3"),
    "unknown": ("features\n  A\nconstraints\n  A => B\n", "line 4, column 8"),
    "syntax": ("features\n  A\nconstraints\n  A => \n", "line 4"),
    "arithmetic": ("features\n  A\nconstraints\n  A > 3\n", "line 4, column 3"),
    "deep": ("features\n  A\nconstraints\n  " + "(" * 60 + "!A" + ")" * 60 + "\n", ""),
    "nested": ("features\n  A\nconstraints\n  " + "!" * 60 + "A\n", "line 4, column 3"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_place(case):
    text, where = WRONG[case]
    if case == "deep":  # brackets alone add nothing
        assert configurations(text) == []
        return
    with pytest.raises(RuleError) as caught:
        read_uvl(text)
    assert caught.value.where.startswith(where)
    assert "\n" not in str(caught.value)


def outcome_of(text):
    try:
        return read_uvl(text).text
    except PolybitError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_models_are_read_or_refused_in_a_sentence(data):
    text = PHONE
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 8))
        new = data.draw(st.text('\t\n {}[]()"!|&=<>.,*/0129orAlternative\x00é', max_size=8))
        text = text[:at] + new + text[at + cut :]
    assert outcome_of(text)


def test_files_are_read_by_their_suffix(tmp_path):
    path = tmp_path / "phone.uvl"
    path.write_text(PHONE)
    assert len(read_rules(path).rules.rules) == 7
    path.write_text("features\n  A\n  B\n")
    with pytest.raises(RuleError, match=r"phone\.uvl, line 3, column 3: There are two root features"):
        read_rules(path)
    with pytest.raises(RuleError, match="Rules are read from"):
        read_rules(tmp_path / "phone.txt")
    with pytest.raises(RuleError, match="cannot be read"):
        read_rules(tmp_path / "gone.uvl")
