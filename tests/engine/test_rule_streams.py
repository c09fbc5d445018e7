"""bench/rules.py: the packs of the first tries, their records, and the rows of the suite."""

import json

import numpy as np
import pytest

from engine.bench import kept, rules
from engine.bench.sides.rule_streams import pack, stream
from engine.cli.main import main
from engine.logic.packs import pack_of

JOB = {"kind": "mixL", "variables": 12, "rules": 14, "seed": 1, "accuracy": 0.9}


@pytest.mark.parametrize("kind", ["mixL", "mixG", "rand3"])
def test_the_truth_of_every_record_keeps_the_rules(kind):
    made, predicted, costs = stream({**JOB, "kind": kind, "accuracy": 1 - 1e-12}, 40)
    assert len(made) >= 14
    for literals, bound in made:
        true = np.stack([predicted[:, abs(x) - 1] == (x > 0) for x in literals], axis=1)
        assert (true.sum(1) >= bound).all()
    assert costs.min() > 0


def test_a_longer_stream_begins_with_a_shorter_one():
    _, few, paid = stream(JOB, 5)
    again, more, cost = stream(JOB, 9)
    assert np.array_equal(more[:5], few)
    assert np.array_equal(cost[:5], paid)
    assert again == pack("mixL", 12, 14, 1)


def test_the_suite_compares_speed_and_cost(monkeypatch, capsys):
    monkeypatch.setattr(rules, "PACKS", (("mixL", 12, 14, 1),))
    monkeypatch.setattr(rules, "RECORDS", 60)
    monkeypatch.setattr(rules, "SAMPLE", 20)
    monkeypatch.setattr(rules, "_LEAST", 0.0)
    monkeypatch.setattr(kept, "RECORDS", 270)
    monkeypatch.setattr(rules, "hybrid_rows", lambda wanted: [])  # has its own tests; trains for minutes
    monkeypatch.setattr(kept, "packs", lambda: {key: pack_of(key) for key in ("transfusion", "tennis-set")})
    assert main(["bench", "rules", "--pairs", "1", "--json"]) == 0
    *rows, kept_row = json.loads(capsys.readouterr().out)
    assert kept_row["ours"] == kept_row["peer"] == 270
    assert [row["peer_name"] for row in rows[::2]] == ["python-sat RC2", "python-sat RC2Stratified"]
    assert {row["unit"] for row in rows} == {"records/s", "records"}
    for speed, same in zip(rows[::2], rows[1::2], strict=True):
        assert speed["ratio"] > 0
        assert same["ours"] == same["peer"] == 20
