"""polybit rules sequences, as a user types it."""

import csv
import json

import pytest

from engine.cli.main import main

RULES = """rule paid: precedence(order, ship) because "nothing leaves unordered"
rule billed: response(ship, bill, within 2)
"""
LOG = """case,event
one,order
one,ship
two,ship
one,bill
two,order
two,bill
three,bill
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "rules.txt").write_text(RULES)
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path


def asked(folder, rules="rules.txt", log="log.csv", *more):
    out = folder / "out.csv"
    code = main(
        ["rules", "sequences", str(folder / rules), "--events", str(folder / log), "--out", str(out), *more]
    )
    return code, list(csv.DictReader(out.read_text().splitlines())) if out.exists() else []


def test_a_log_is_repaired_case_by_case(files, capsys):
    code, rows = asked(files, "rules.txt", "log.csv", "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["cases"] == 3
    assert told["status"]["allowed"] == 2
    assert told["status"]["optimal"] == 1
    assert told["broken"] == {"paid": 1, "billed": 0}
    assert told["left"] == {"paid": 0, "billed": 0}
    assert told["changed"] == 1
    assert [r["case"] for r in rows] == ["one"] * 3 + ["two"] * 3 + ["three"]
    assert [r["event"] for r in rows[3:6]] == ["ship", "order", "bill"]
    assert rows[3]["repaired"] != "ship"
    assert rows[3]["broken"] == "paid"
    assert {r["status"] for r in rows[3:6]} == {"optimal"}
    assert asked(files)[0] == 0
    said = capsys.readouterr().out
    assert "3 cases, 7 events" in said
    assert "paid was broken by 1 case." in said


PACK = """
[pack]
title = "Shipping"
domain = "logistics"
text = "What comes before what."
licence = "CC0"

[variables.express]
kind = "flag"
given = true
text = "Whether it is express"

[variables.log]
kind = "events"
values = ["order", "ship", "bill"]
text = "What happens"

[rules]
text = '''
rule paid: if express then chain precedence(order, ship)
'''
"""


def test_a_pack_with_facts_and_scores(files, capsys):
    (files / "pack.toml").write_text(PACK)
    (files / "scores.csv").write_text(
        "case,express,order,ship,bill\n"
        "a,yes,0.1,0.7,0.2\na,yes,0.2,0.7,0.1\nb,no,0.1,0.8,0.1\nc,,0.1,0.8,0.1\n"
    )
    code, rows = asked(files, "pack.toml", "scores.csv", "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["status"]["allowed"] == 2
    assert [r["repaired"] for r in rows] == ["order", "ship", "ship", "ship"]


def test_shipped_packs_by_their_keys(files, capsys):
    rows = "case,event\na,run_up\na,line_up\na,takeoff_clearance\na,takeoff\n"
    (files / "flights.csv").write_text(rows)
    out = files / "out.csv"
    verb = ["rules", "sequences", "aircraft-departure", "--events", str(files / "flights.csv")]
    main([*verb, "--out", str(out), "--json"])
    assert json.loads(capsys.readouterr().out)["cases"] == 1
    assert len(out.read_text().splitlines()) == 5
    verb[2] = "aircraft-departure+surgical-safety"
    assert main([*verb, "--out", str(out)]) == 1
    assert "mean different things by 'log'" in capsys.readouterr().err
    verb[2] = "aircraft-departur"
    assert main([*verb, "--out", str(out)]) == 1
    assert "There is no domain pack 'aircraft-departur'" in capsys.readouterr().err


def test_rules_that_are_not_about_the_events_are_left_out_and_told(files, capsys):
    more = "[variables.paid]\nkind = 'flag'\n[rules]"
    text = PACK.replace("[rules]", more).replace("rule paid", "rule free: if paid then ship\nrule paid")
    (files / "pack.toml").write_text(text)
    code, _ = asked(files, "pack.toml", "log.csv")
    assert code == 0
    assert "free is not about these events alone" in capsys.readouterr().err


def test_a_log_of_too_many_types_is_refused(files, capsys, monkeypatch):
    monkeypatch.setattr("engine.files.event_log.MOST_SCORES", 10)
    code, rows = asked(files)
    assert (code, rows) == (1, [])
    assert "their product may be 10 at most" in capsys.readouterr().err


def test_a_log_is_not_written_over(files, capsys):
    asked = ["rules", "sequences", str(files / "rules.txt"), "--events", str(files / "log.csv")]
    assert main([*asked, "--out", str(files / "log.csv")]) == 1
    assert "log.csv, which is read here and would be lost" in capsys.readouterr().err
    assert (files / "log.csv").read_text() == LOG


def test_a_case_without_an_allowed_answer_is_told(files, capsys):
    (files / "rules.txt").write_text("rule a: existence(order, 2)\n")
    code, rows = asked(files)
    assert code == 1
    assert [r["status"] for r in rows if r["case"] == "three"] == ["none"]
    assert "none: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rules", "log", "words"),
    [
        ("rule a: response(order, pay)\n", LOG, "There is no event 'pay'."),
        ("rule a: response(order\n", LOG, "rules.txt"),
        (RULES, "case,when\n1,2\n", "There is no column 'event'."),
        (RULES, "event\norder\nship\nbill\n", "There is no column 'case'."),
        (RULES, "case,event,order\n1,order,0.5\n1,bill,0.2\n1,ship,0\n", "no column of scores for"),
        (
            RULES,
            "case,event,order,ship,bill\n1,order,0.5,1.5,0.2\n1,ship,1,1,1\n1,bill,1,1,1\n",
            "is no probability",
        ),
        ("rule a: order > 3\n", LOG, "rules.txt"),
        (b"\xff\xfe", LOG, "UTF-8"),
    ],
)
def test_what_is_wrong_gets_a_sentence(files, capsys, rules, log, words):
    (files / "rules.txt").write_bytes(rules if isinstance(rules, bytes) else rules.encode())
    (files / "log.csv").write_text(log)
    code, rows = asked(files)
    assert code == 1
    assert rows == []
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


# In time

PAID = """rule soon: response(order, ship, within 3 days) because "customers wait"
rule possible: speed(pay, 900)
rule few: limit(pay, 1, per 1 h)
"""
STAMPED = """case,event,time,lat,lon
one,order,2025-03-01T08:00:00Z,,
one,ship,2025-03-04T10:00:00+02:00,,
two,order,2025-03-01T08:00:00Z,,
two,ship,2025-03-04T12:00:00Z,,
card,pay,2025-03-01T08:00:00Z,52.52,13.405
card,pay,2025-03-01T09:00:00Z,48.8566,2.3522
card,pay,2025-03-01T09:30:00Z,52.52,13.405
"""


def test_rules_in_time_go_by_the_stamps_of_the_log(files, capsys):
    (files / "rules.txt").write_text(PAID)
    (files / "log.csv").write_text(STAMPED)
    code, rows = asked(files, "rules.txt", "log.csv", "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["broken"] == {"soon": 1, "possible": 1, "few": 1}
    assert told["status"]["allowed"] == 1
    assert told["changed"] == 2
    why = {(r["case"], r["step"]): r["why"] for r in rows if r["why"]}
    assert why == {
        ("two", "2"): "soon: customers wait, at step 2, ship: ship at step 2 came 3 days 4 h after order at "
        "step 1: 4 h too late",
        ("card", "3"): "possible: from one pay to the next it goes no faster than 900 km/h, at step 3, pay: "
        "pay at step 3 lies 877 km from pay at step 2, 30 min later: 1,755 km/h; few: pay happens at most 1 "
        "times in any 1 h on end, at step 3, pay: pay at step 3 is number 2 within 1 h: 30 min after pay at "
        "step 2, 30 min too soon",
    }


def test_stamps_that_are_numbers_have_a_unit_that_is_declared(files, capsys):
    (files / "rules.txt").write_text("rule soon: response(order, ship, within 3 days)\n")
    rows = "case,event,time\na,order,10\na,ship,13\nb,order,10\nb,ship,13.5\nc,order,\nc,ship,99\n"
    (files / "log.csv").write_text(rows)
    code, _ = asked(files, "rules.txt", "log.csv", "--time-unit", "days", "--json")
    assert code == 0
    assert json.loads(capsys.readouterr().out)["broken"] == {"soon": 1}
    asked(files, "rules.txt", "log.csv", "--time-unit", "h", "--json")
    assert json.loads(capsys.readouterr().out)["broken"] == {"soon": 0}


def test_what_the_log_does_not_say_is_told(files, capsys):
    (files / "rules.txt").write_text(PAID)
    (files / "log.csv").write_text("case,event\na,order\na,ship\na,pay\nb,order\n")
    code, rows = asked(files)
    assert code == 0
    said = capsys.readouterr().err
    assert (
        "The log has no column 'time': rules in time are broken only where no times could keep them." in said
    )
    assert "The log has no columns latitude and longitude" in said
    assert [r["status"] for r in rows] == ["allowed"] * 3 + ["optimal"]  # an order still asks for a ship


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("case,event,time\na,order,yesterday\n", "'yesterday' is no stamp in ISO 8601."),
        ("case,event,time\na,order,12.5\n", "--time-unit s"),
        ("case,event,time\na,order,2025-03-01\na,ship,2025-03-01T00:00Z\n", "some have none"),
        ("case,event,time\na,order,2025-03-02\na,ship,2025-03-01\n", "line 3, column 'time': The stamps"),
        ("case,event,latitude,longitude\na,order,91,0\n", "'91' is no latitude"),
        ("case,event,lat,lon\na,order,x,0\n", "'x' is no lat"),
    ],
)
def test_what_is_wrong_with_stamps_and_places_gets_a_sentence(files, capsys, log, words):
    (files / "rules.txt").write_text("rule a: response(order, ship)\n")
    (files / "log.csv").write_text(f"{log}b,ship{',' * (log.splitlines()[0].count(',') - 1)}\n")
    code, rows = asked(files)
    said = capsys.readouterr().err
    assert (code, rows) == (1, [])
    assert words in said
