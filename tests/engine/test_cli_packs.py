"""polybit rules packs, rules try and rules check of files in words, as a user types them."""

import json

import pytest

from engine.cli.main import main
from engine.logic.packs import pack_of, packs

CONFLICT = '''[pack]
title = "Doors"
domain = "tests"
text = "Doors that are both."
licence = "CC0-1.0"

[variables]
locked = { kind = "flag", given = true }
open = { kind = "flag" }
log = { kind = "events", values = ["knock", "enter"] }

[rules]
text = """
rule shut: not open
rule ajar: open
rule knock_first: precedence(knock, enter)
rule knock_again: precedence(knock, enter)
"""
'''
TABLE = """<definitions><decision name="fee"><decisionTable hitPolicy="UNIQUE">
<input><inputExpression typeRef="number"><text>age</text></inputExpression></input>
<output name="fee"/>
<rule><inputEntry><text>&lt; 6</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
<rule><inputEntry><text>&gt;= 6</text></inputEntry><outputEntry><text>5</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


def test_packs_are_listed(capsys):
    assert main(["rules", "packs"]) == 0
    said = capsys.readouterr().out
    rules = sum(len(pack.statements) for pack in packs().values())
    assert "transfusion" in said
    assert said.endswith(f"{rules} of {rules} rules were compared with the text of a source.\n")
    assert main(["rules", "packs", "--json"]) == 0
    told = {one["pack"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["transfusion"]["rules"] == len(pack_of("transfusion").statements)
    assert told["transfusion"]["sources"][0]["url"].startswith("https://")
    assert told["semantic-versions"]["compared"] == told["semantic-versions"]["rules"]
    assert told["semantic-versions"]["sources"][0]["checked"] >= "2026-11-26"


def test_random_records_keep_the_rules(capsys):
    assert main(["rules", "try", "transfusion", "surgical-safety", "--records", "401", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    counts = [(one["name"], one["records"], one["rules"]) for one in told["each"]]
    assert counts == [("transfusion", 201, {}), ("surgical-safety", 200, {})]
    assert told["total"]["broken_before"] > 100
    assert told["total"]["broken_after"] == 0
    assert main(["rules", "try", "card-fraud+strong-authentication", "--records", "50"]) == 0
    assert "after repair" in capsys.readouterr().out


def test_a_pack_is_checked(capsys):
    assert main(["rules", "check", "stairs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["satisfiable"] is True
    assert {rule["status"] for rule in told["rules"]} == {"needed"}
    assert main(["rules", "check", "aircraft-departure"]) == 0
    said = capsys.readouterr().out
    assert "All hard rules can be kept together." in said
    rules = len(pack_of("aircraft-departure").statements)
    assert f"Each of {rules} rules is broken alone by some record." in said


def test_conflicts_and_rules_to_spare_are_said(tmp_path, capsys):
    path = tmp_path / "doors.toml"
    path.write_text(CONFLICT)
    assert main(["rules", "check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "error" in said
    assert "The hard rules cannot be kept together." in said
    path.write_text(CONFLICT.replace("rule ajar: open\n", ""))
    assert main(["rules", "check", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {rule["name"]: rule["status"] for rule in told["rules"]} == {
        "shut": "needed",
        "knock_first": "same",
        "knock_again": "same",
    }


def test_other_languages_are_checked(tmp_path, capsys):
    path = tmp_path / "fee.dmn"
    path.write_text(TABLE)
    assert main(["rules", "check", str(path)]) == 0
    assert "All hard rules can be kept together." in capsys.readouterr().out
    model = tmp_path / "phone.uvl"
    model.write_text("features\n  Phone {price 3}\n    or\n      A\n      B\n")
    assert main(["rules", "check", str(model)]) == 0
    assert "One attribute is left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "nothing"], "There is no domain pack 'nothing'."),
        (["try", "nothing"], "There is no domain pack 'nothing'."),
        (["try", "gone.uvl"], "gone.uvl: The file cannot be read"),
    ],
)
def test_what_is_not_there_is_said(words, says, capsys):
    assert main(["rules", *words]) == 1
    assert says in capsys.readouterr().err


def test_records_are_a_number(capsys):
    with pytest.raises(SystemExit):
        main(["rules", "try", "stairs", "--records", "0"])
    assert "must be 1 to" in capsys.readouterr().err


def test_a_limit_of_time_ends_the_trial_and_says_how_far_it_came(tmp_path, capsys):
    path = tmp_path / "large.uvl"
    features = "\n".join(f"\t\t\tv{i}" for i in range(40))
    path.write_text(f"features\n\troot\n\t\tor\n{features}\nconstraints\n\tv0 => v1\n")
    assert main(["rules", "try", str(path), "--records", "100000000", "--seconds", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "The time was over after" in said
    assert "of 100,000,000; give more --seconds." in said


@pytest.mark.parametrize("seed", ["-1", "9" * 30, "x"])
def test_a_seed_is_a_whole_number(seed, capsys):
    with pytest.raises(SystemExit) as told:
        main(["rules", "try", "transfusion", "--records", "1", "--seed", seed])
    assert told.value.code == 2
    assert "whole number" in capsys.readouterr().err
