"""polybit rules check and rules repair, as a user types them."""

import csv
import json

import numpy as np
import pytest

from engine.cli.main import main

FEVER = """c variable 1 fever
c variable 2 cough
c variable 3 flu
c variable 4 healthy
p cnf 4 4
-3 1 0
-4 -3 0
-4 -1 0
3 4 -2 0
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "fever.cnf"
    path.write_text(FEVER)
    return path


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_sound_rule_set_is_described(rules, capsys):
    assert main(["rules", "check", str(rules), "--json"]) == 0
    told = printed(capsys)
    assert told["satisfiable"] is True
    assert (told["variables"], told["rules"], told["soft"]) == (4, 4, 0)
    assert told["redundant"] == ["clause 2 (line 7)"]
    assert set(told["witnesses"]) == {"clause 1 (line 6)", "clause 3 (line 8)", "clause 4 (line 9)"}
    assert told["witnesses"]["clause 4 (line 9)"] in (["cough"], ["fever", "cough"])
    assert told["never_true"] == told["always_true"] == told["undecided"] == []
    assert main(["rules", "check", str(rules)]) == 0
    said = capsys.readouterr().out
    assert "Implied by the others: clause 2 (line 7)." in said


def test_a_conflict_is_named_by_a_minimal_core(tmp_path, capsys):
    path = tmp_path / "bad.cnf"
    path.write_text("p cnf 4 5\n1 2 0\n-1 3 0\n-2 3 0\n-3 0\n4 1 0\n")
    assert main(["rules", "check", str(path), "--json"]) == 1
    told = printed(capsys)
    assert told["satisfiable"] is False
    assert told["core"] == [f"clause {i} (line {i + 1})" for i in (1, 2, 3, 4)]
    assert main(["rules", "check", str(path)]) == 1
    assert "clause 2 (line 3): not x1 or x3" in capsys.readouterr().out


def test_fixed_variables_and_soft_rules_that_can_never_be_kept(tmp_path, capsys):
    path = tmp_path / "soft.wcnf"
    path.write_text("h 1 0\nh -1 -2 0\n3 2 0\n4 3 0\n")
    assert main(["rules", "check", str(path), "--json"]) == 0
    told = printed(capsys)
    assert told["always_true"] == ["x1"]
    assert told["never_true"] == ["x2"]
    assert told["never_kept"] == ["kept: clause 3 (line 3)"]
    assert "clause 4 (line 4)" in told["witnesses"]


def test_scores_of_a_table_are_repaired(rules, tmp_path, capsys):
    scores = tmp_path / "scores.csv"
    scores.write_text("flu,healthy,fever,cough\n0.9,0.2,0.4,0.5\n0.1,0.9,0.1,0.9\n0.7,0.8,0.9,0.1\n")
    out = tmp_path / "out.csv"
    asked = ["rules", "repair", str(rules), "--scores", str(scores), "--out", str(out)]
    assert main([*asked, "--json"]) == 0
    told = printed(capsys)
    assert told["status"] == {"allowed": 1, "optimal": 2, "feasible, not proven": 0, "unknown": 0, "none": 0}
    assert told["rc2"].pop("seconds") > 0
    assert told["rc2"] == {"records": 3, "solved": 3, "agreed": 3}
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [r["status"] for r in rows] == ["optimal", "allowed", "optimal"]
    assert [r["changed"] for r in rows] == ["fever", "", "healthy"]
    assert float(rows[0]["cost"]) == pytest.approx(np.log(0.6 / 0.4), abs=1e-4)
    assert [rows[2][v] for v in ("fever", "cough", "flu", "healthy")] == ["1", "0", "1", "0"]


def test_facts_stay_and_logits_are_taken_as_they_are(rules, tmp_path, capsys):
    scores, out = tmp_path / "scores.npz", tmp_path / "out.npz"
    np.savez(scores, scores=np.array([[-9.0, 9.0, 3.0, -1.0], [9.0, 9.0, -3.0, -1.0]], np.float32))
    asked = ["rules", "repair", str(rules), "--scores", str(scores), "--out", str(out), "--kind", "logits"]
    assert main([*asked, "--facts", "2"]) == 0
    with np.load(out) as made:
        assert made["values"].astype(int).tolist() == [[0, 1, 0, 1], [1, 1, 1, 0]]
        assert made["cost"].tolist() == pytest.approx([4.0, 3.0])
        assert made["variables"].tolist() == ["fever", "cough", "flu", "healthy"]
    assert "RC2 agrees on 2 of 2" in capsys.readouterr().out


def test_a_soft_rule_gives_way_where_it_costs_less(tmp_path):
    path, scores, out = tmp_path / "soft.wcnf", tmp_path / "scores.csv", tmp_path / "out.csv"
    path.write_text("2 -1 -2 0\n")
    scores.write_text("x1,x2\n1.5,3\n4,5\n")
    asked = ["rules", "repair", str(path), "--scores", str(scores), "--out", str(out), "--kind", "logits"]
    assert main(asked) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(r["x1"], r["x2"], r["cost"]) for r in rows] == [("0", "1", "1.5"), ("1", "1", "2")]
    assert main([*asked, "--soft-nats", "10"]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(r["x1"], r["cost"]) for r in rows] == [("0", "1.5"), ("0", "4")]


def test_a_record_without_an_allowed_answer_ends_in_1(tmp_path, capsys):
    path, scores, out = tmp_path / "dead.cnf", tmp_path / "scores.csv", tmp_path / "out.csv"
    path.write_text("p cnf 2 2\n1 2 0\n-1 2 0\n")
    scores.write_text("x1,x2\n0.9,0.1\n")
    asked = [
        "rules",
        "repair",
        str(path),
        "--scores",
        str(scores),
        "--out",
        str(out),
        "--facts",
        "2",
        "--json",
    ]
    assert main(asked) == 1
    assert printed(capsys)["status"]["none"] == 1


@pytest.mark.parametrize(
    ("scores", "more", "sentence"),
    [
        ("fever,cough\n0,1\n", [], "There is no column for flu, healthy"),
        ("fever,cough,flu,healthy\n0,1,2,0.5\n", [], "probabilities are 0 to 1"),
        ("fever,cough,flu,healthy\n0,1,high,0.5\n", [], "'high' is no number"),
        ("fever,cough,flu,healthy\n0,1,0,0.5\n", ["--facts", "9"], "--facts is 0 to 4"),
    ],
)
def test_scores_that_do_not_fit_get_a_sentence(rules, tmp_path, capsys, scores, more, sentence):
    path = tmp_path / "scores.csv"
    path.write_text(scores)
    out = tmp_path / "out.csv"
    assert main(["rules", "repair", str(rules), "--scores", str(path), "--out", str(out), *more]) == 1
    assert sentence in capsys.readouterr().err
    assert not out.exists()


def test_weights_that_do_not_add_up_in_64_bits_get_a_sentence(tmp_path, capsys):
    path = tmp_path / "heavy.wcnf"
    path.write_text("".join(f"100000000000 {v} 0\n" for v in range(1, 1_001)))
    scores = tmp_path / "scores.csv"
    names = [f"x{v}" for v in range(1, 1_001)]
    scores.write_text(",".join(names) + "\n" + ",".join(["0.1"] * 1_000) + "\n")
    asked = ["rules", "repair", str(path), "--scores", str(scores), "--out", str(tmp_path / "out.csv")]
    assert main(asked) == 1
    assert "The weights of the soft rules are too large" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_scores_are_not_written_over(rules, tmp_path, capsys):
    scores = tmp_path / "scores.csv"
    scores.write_text("fever,cough,flu,healthy\n0,1,0,0.5\n")
    asked = ["rules", "repair", str(rules), "--scores", str(scores), "--out", str(scores)]
    assert main(asked) == 1
    assert "would be lost" in capsys.readouterr().err
    assert scores.read_text().startswith("fever")


def test_two_variables_of_one_name_are_refused(tmp_path, capsys):
    path = tmp_path / "twice.cnf"
    for names, line in (("c variable 1 a\nc variable 2 a", 2), ("c variable 1 x2", 1)):
        path.write_text(f"{names}\np cnf 2 1\n1 2 0\n")
        assert main(["rules", "check", str(path)]) == 1
        assert f"twice.cnf, line {line}: Two variables are named" in capsys.readouterr().err


def test_files_of_another_kind_get_a_sentence(rules, tmp_path, capsys):
    assert main(["rules", "check", str(tmp_path / "rules.txt")]) == 1
    assert "Rules are read from .cnf, .wcnf" in capsys.readouterr().err
    asked = ["rules", "repair", str(rules), "--scores", "none.csv", "--out"]
    assert main([*asked, str(tmp_path / "out.xml")]) == 1
    assert "are written as .csv, .npz" in capsys.readouterr().err
    assert main([*asked, str(tmp_path / "out.csv")]) == 1
    assert "not there" in capsys.readouterr().err
