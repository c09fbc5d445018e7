"""bench/: what a comparison says; never how fast anything is."""

import json
import time

import pytest

from engine.bench import kernels
from engine.bench.pairs import LONG, Comparison, compare, compare_timed
from engine.bench.suites import QUICK, SUITES
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


def test_sides_that_time_themselves_are_repeated_until_a_block_is_long_enough():
    asked = {"ours": [], "peer": []}

    def side(name, seconds):
        def timed(repeats):
            asked[name].append(repeats)
            return repeats * seconds

        return timed

    what = Comparison("x", "peer", amount=1, unit="/s", pairs=3, least=0.2)
    row = compare_timed(what, side("ours", 0.01), side("peer", 0.5))
    assert asked == {"ours": [1, 20, 20, 20], "peer": [1, 1, 1, 1]}
    assert row.ratio == pytest.approx(50)
    assert (row.ours, row.peer, row.cores) == (pytest.approx(100), pytest.approx(2), 1)


def test_the_verb_prints_rows_of_the_documented_form(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "SIDE", 96)
    assert main(["bench", "kernels", "--pairs", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"XNOR-popcount product, 1 bit", "Packing signs"} <= {row["name"] for row in rows}
    for row in rows:
        assert set(row) == {"name", "ours", "peer", "peer_name", "unit", "ratio", "pairs", "cores", "host"}
        assert row["ratio"] > 0
    assert main(["bench", "kernels", "--pairs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "interleaved pairs" in printed
    assert "NumPy packbits" in printed


def test_suites_are_found_in_their_room():
    assert "kernels" in QUICK
    assert set(QUICK) == {o.key for o in SUITES.all() if o.group != LONG}
    with pytest.raises(SystemExit):
        main(["bench", "nothing"])
