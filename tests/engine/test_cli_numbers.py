"""cli/numbers.py: numbers that are none, NaN, or beyond what makes sense get a sentence."""

from argparse import ArgumentTypeError

import pytest

from engine.cli.main import main
from engine.cli.numbers import between, count, nats, seconds


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "-inf", "1e9", "0.05", "abc", "", "1,5"])
def test_a_limit_of_time_is_a_number_of_seconds(text):
    with pytest.raises(ArgumentTypeError, match=r"must be (a number, )?0\.1 to 86400; got "):
        seconds(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "nan", "", "1e3", "१", "9" * 400, "1000000000"])
def test_a_count_is_a_whole_number(text):
    with pytest.raises(ArgumentTypeError, match="must be 0 to 999,999,999, a whole number; got "):
        count(text)


def test_what_makes_sense_is_taken():
    assert [seconds("0.1"), seconds("86400"), nats("1e-4"), between("2", 1, 3)] == [0.1, 86400.0, 1e-4, 2.0]
    assert [count("0"), count("7", 1, 7)] == [0, 7]


@pytest.mark.parametrize("verb", ["check", "repair", "try", "sequences"])
@pytest.mark.parametrize("text", ["nan", "0", "soon"])
def test_every_limit_of_time_is_checked(verb, text, capsys):
    more = ["--out", "out.csv"] if verb in ("repair", "sequences") else []
    more += ["--events", "log.csv"] if verb == "sequences" else []
    with pytest.raises(SystemExit) as ended:
        main(["rules", verb, "rules.cnf", *more, "--seconds", text])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "argument --seconds: must be " in said
    assert "_seconds" not in said
