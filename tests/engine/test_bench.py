"""bench/: what a comparison says; never how fast anything is."""

import json
import time

import pytest

from engine.bench import kernels
from engine.bench.pairs import compare
from engine.bench.suites import SUITES
from engine.cli.main import main


def test_a_comparison_is_the_ratio_of_what_the_two_take(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def taking(seconds):
        def work():
            clock[0] += seconds

        return work

    row = compare("x", taking(0.5), taking(2.0), "peer", amount=10, unit="op/s", pairs=5, cores=2)
    assert row.ratio == pytest.approx(4)
    assert (row.ours, row.peer) == (pytest.approx(20), pytest.approx(5))
    assert (row.pairs, row.cores, row.unit, row.peer_name) == (5, 2, "op/s", "peer")
    assert row.host


def test_the_verb_prints_rows_of_the_documented_form(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "SIDE", 96)
    assert main(["bench", "kernels", "--pairs", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"XNOR-popcount product, 1 bit", "Packing signs"} <= {row["name"] for row in rows}
    for row in rows:
        assert set(row) == {"name", "ours", "peer", "peer_name", "unit", "ratio", "pairs", "cores", "host"}
        assert row["ratio"] > 0
    assert main(["bench", "kernels", "--pairs", "1"]) == 0
    assert "interleaved pairs" in capsys.readouterr().out


def test_suites_are_found_in_their_room():
    assert "kernels" in SUITES
    with pytest.raises(SystemExit):
        main(["bench", "nothing"])
