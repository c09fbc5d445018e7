"""polybit rules check and repair over packs and texts of rules, as a user types them; tables of answers."""

import csv
import json

import numpy as np
import pytest

from engine.cli.main import main
from engine.errors import DataError
from engine.files.answer_table import CHANGE, read_answers, vocabulary_of
from engine.logic.packs import FOLDER
from engine.logic.vocabulary import Variable, Vocabulary

RULES = """
rule treat: if suspected then antibiotics because "guideline"
rule first: if antibiotics then cultures
rule doses: if weight > 80 then doses >= 2
rule bed weight 0.5: if suspected then bed != none
"""
TABLE = """suspected,weight,antibiotics,cultures,doses,bed
yes,70,no,no,1,none
no,90,yes,yes,1,normal
,?,no,no,3,intensive
no,70,yes,no,0,none
"""
DECIDES = "antibiotics,cultures,doses,bed"


@pytest.fixture
def files(tmp_path):
    rules, data = tmp_path / "ward.rules", tmp_path / "ward.csv"
    rules.write_text(RULES)
    data.write_text(TABLE)
    return rules, data, tmp_path / "out.csv"


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_columns_are_flags_categories_integers_and_numbers(files):
    vocabulary = vocabulary_of(files[1], DECIDES.split(","))
    assert [(v.name, v.kind, v.given) for v in vocabulary.variables] == [
        ("suspected", "flag", True),
        ("weight", "number", True),
        ("antibiotics", "flag", False),
        ("cultures", "flag", False),
        ("doses", "integer", False),
        ("bed", "category", False),
    ]
    found = read_answers(files[1], vocabulary)
    assert np.isnan(found.facts[2]).all()
    assert found.facts[[0, 1, 3]].tolist() == [[1, 70], [0, 90], [0, 70]]
    assert found.scores[0].tolist() == [-CHANGE, -CHANGE, -1, 0, -1, -2, 0, CHANGE, 0]
    assert found.notes == ()


def test_a_table_is_repaired_by_a_text_of_rules(files, capsys):
    rules, data, out = files
    asked = ["rules", "repair", str(rules), "--data", str(data), "--decides", DECIDES, "--out", str(out)]
    assert main([*asked, "--json"]) == 0
    told = printed(capsys)
    assert told["records"] == 4
    assert told["status"] == {"allowed": 1, "optimal": 3, "feasible, not proven": 0, "unknown": 0, "none": 0}
    assert told["rc2"].pop("seconds") > 0
    assert told["rc2"] == {"records": 4, "solved": 4, "agreed": 4}
    assert told["broken"] == {"treat": 1, "first": 1, "doses": 1, "bed": 1}
    rows = rows_of(out)
    assert (rows[0]["antibiotics"], rows[0]["cultures"], rows[0]["bed"]) == ("yes", "yes", "none")
    assert (rows[0]["changed"], rows[0]["left"], rows[0]["cost"]) == ("antibiotics; cultures", "bed", "2.5")
    assert (rows[1]["doses"], rows[1]["cost"], rows[1]["engine"]) == ("2", "1", "diagram")
    assert rows[2]["status"] == "allowed"
    assert rows[3]["broken"] == "first"
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "RC2 agrees on 4 of 4 records" in said
    assert "Record 0: optimal, by diagram" in said


def test_probabilities_of_flags_are_log_odds(tmp_path):
    data = tmp_path / "p.csv"
    data.write_text("x,a\n1,0.9\n2,1\n3,0.25\n4,\n")
    vocabulary = vocabulary_of(data, ["a"])
    assert vocabulary.decided[0].kind == "flag"
    scores = read_answers(data, vocabulary).scores[:, 0]
    np.testing.assert_allclose(scores, [np.log(9), 40, -np.log(3), 0], rtol=1e-6)


def test_a_record_without_an_allowed_answer_is_said_and_the_others_are_repaired(files, capsys):
    rules, data, out = files
    rules.write_text("rule a: if weight > 80 then antibiotics\nrule b: not antibiotics")
    asked = [
        "rules",
        "repair",
        str(rules),
        "--data",
        str(data),
        "--decides",
        "antibiotics",
        "--out",
        str(out),
    ]
    assert main([*asked, "--json"]) == 1
    assert printed(capsys)["status"]["none"] == 1
    assert [row["status"] for row in rows_of(out)] == ["allowed", "none", "allowed", "optimal"]


def test_facts_without_an_answer_are_told_with_a_record(tmp_path, capsys):
    rules, data = tmp_path / "car.rules", tmp_path / "car.csv"
    rules.write_text("rule low: if safety = low then good = no\nrule cheap: if price < 3 then good = yes")
    data.write_text("safety,price,good\nlow,2,no\nhigh,5,yes\n")
    assert main(["rules", "check", str(rules), "--data", str(data), "--decides", "good"]) == 0
    said = capsys.readouterr().out
    assert (
        "line 2: warning: When safety = low and price < 3, no answer keeps all rules: low and cheap" in said
    )
    assert "Such a record: safety = low, price = 2." in said
    assert "All hard rules can be kept together, but not with all facts." in said


def test_rules_are_checked_over_the_columns_of_a_table(files, capsys):
    rules, data, _ = files
    asked = ["rules", "check", str(rules), "--data", str(data), "--decides", DECIDES]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "4 rules (1 soft) over 6 variables." in said
    assert "All hard rules can be kept together." in said
    rules.write_text(RULES + "rule never: not cultures and suspectd")
    assert main(asked) == 1
    assert "ward.rules, line 6, column" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["processor-contract", "openapi-parameters"])
def test_shipped_packs_are_checked(name, capsys):
    assert main(["rules", "check", str(FOLDER / f"{name}.toml"), "--json"]) == 0
    told = printed(capsys)
    assert told["satisfiable"] is True
    assert told["rules"]


def test_answers_are_repaired_by_a_pack(tmp_path, capsys):
    data, out = tmp_path / "contracts.csv", tmp_path / "out.csv"
    data.write_text("nature,complete\nno,yes\nyes,yes\n")
    asked = [
        "rules",
        "repair",
        str(FOLDER / "processor-contract.toml"),
        "--data",
        str(data),
        "--out",
        str(out),
    ]
    assert main([*asked, "--json"]) == 0
    captured = capsys.readouterr()
    assert "No column: " in captured.err
    assert json.loads(captured.out)["status"]["none"] == 0
    assert len(rows_of(out)) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["check", "{rules}"], "A text of rules is about the columns of a table."),
        (["check", "{rules}", "--data", "{data}"], "Say with --decides which columns are decided"),
        (
            ["check", "{rules}", "--data", "{data}", "--decides", "bd"],
            "There is no column 'bd'. Nearest: bed",
        ),
        (["repair", "{rules}", "--out", "{out}"], "needs --data"),
        (["repair", "{rules}", "--data", "{data}", "--decides", "bed", "--out", "x.npz"], "written as .csv"),
        (["check", "{missing}", "--data", "{data}", "--decides", "bed"], "cannot be read"),
        (
            ["repair", "{rules}", "--data", "{data}", "--decides", "bed", "--out", "{data}"],
            "which is read here and would be lost",
        ),
        (
            ["repair", "{rules}", "--data", "{data}", "--decides", "bed", "--out", "{out}", "--facts", "1"],
            "--facts means nothing here",
        ),
        (["repair", "tolerances", "--data", "{data}", "--out", "{out}", "--soft-nats", "2"], "--soft-nats"),
        (["repair", "tolerances", "--data", "{data}", "--out", "{out}", "--decides", "bed"], "--decides"),
        (["check", "tolerances", "--data", "{data}"], "--data means nothing here"),
        (["check", "some.cnf", "--decides", "bed"], "--decides means nothing here"),
        (["repair", "some.cnf.gz", "--scores", "s.csv", "--out", "{out}"], "Rules are read from .cnf"),
        (["repair", "some.cnf", "--data", "{data}", "--out", "{out}"], "--data means nothing here"),
    ],
)
def test_wrong_calls_are_told_in_a_sentence(files, capsys, options, words):
    rules, data, out = files
    names = {"rules": rules, "data": data, "out": out, "missing": rules.with_name("missing.rules")}
    before = data.read_bytes()
    assert main(["rules", *(option.format(**names) for option in options)]) == 1
    assert words in capsys.readouterr().err
    assert data.read_bytes() == before
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\nmaybe,1\n", "a must be yes, no or a probability; got 'maybe'."),
        ("a,c\nyes,blue\n", "c must be one of red, green; got 'blue'."),
        ("b\n1\n", "No column has the name of what is decided."),
        ("a,b\nyes,much\n", "b must be a number; got 'much'."),
    ],
)
def test_a_cell_that_its_variable_cannot_be_is_refused_with_its_place(tmp_path, text, words):
    data = tmp_path / "t.csv"
    data.write_text(text)
    vocabulary = Vocabulary(
        (
            Variable("a"),
            Variable("b", "number", given=True),
            Variable("c", "category", values=("red", "green")),
        )
    )
    with pytest.raises(DataError) as caught:
        read_answers(data, vocabulary)
    assert words in str(caught.value)
    assert "t.csv" in caught.value.where


def test_a_value_that_no_variable_has_is_a_gap_with_a_note(tmp_path):
    data = tmp_path / "t.csv"
    data.write_text("site,a\nlung,1\nmoon,0\n")
    site = Variable("site", "category", given=True, values=("gut", "lung"))
    found = read_answers(data, Vocabulary((site, Variable("a"))))
    assert found.facts[0, 0] == 1
    assert np.isnan(found.facts[1, 0])
    assert found.notes == ("site cannot be moon: a gap there.",)


@pytest.mark.parametrize("count", ["-5", "1.5", "x", "9" * 30])
def test_a_sample_is_a_whole_number(files, count, capsys):
    repair = ["rules", "repair", str(files[0]), "--data", str(files[1]), "--decides", DECIDES]
    with pytest.raises(SystemExit) as told:
        main([*repair, "--out", str(files[2]), "--sample", count])
    assert told.value.code == 2
    assert "whole number" in capsys.readouterr().err
    assert not files[2].exists()
