"""bench/: what a comparison says; never how fast anything is."""

import json
import sys
import time

import numpy as np
import pytest

from engine.bench import accuracy, inference, kernels, networks
from engine.bench.pairs import LONG, Comparison, Wanted, compare, compare_timed
from engine.bench.sides.numpy_mlp import Mlp
from engine.bench.suites import QUICK, SUITES
from engine.bench.workers import Side, SideError
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


def test_where_pairs_take_long_there_are_fewer_but_three():
    pairs = {}
    for most in (100.0, 13.0, 1.0):
        what = Comparison("x", "peer", amount=1, unit="/s", pairs=9, least=0.2, most=most)
        pairs[most] = compare_timed(what, lambda n: n * 0.1, lambda n: n * 2.0).pairs
    assert pairs == {100.0: 9, 13.0: 5, 1.0: 3}
    what = Comparison("x", "peer", amount=1, unit="/s", pairs=1, least=0.2, most=1.0)
    assert compare_timed(what, lambda n: n * 0.1, lambda n: n * 2.0).pairs == 1


def test_of_a_longer_call_of_ours_the_share_counts():
    what = Comparison("x", "peer", amount=20, unit="/s", pairs=3, least=0.2, share=0.1)
    row = compare_timed(what, lambda n: n * 0.5, lambda n: n * 1.0)
    assert row.ratio == pytest.approx(20)
    assert (row.ours, row.peer) == (pytest.approx(400), pytest.approx(20))


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


@pytest.mark.parametrize("inputs", ["real", "8", "1"])
def test_the_measured_mlp_is_a_graph_without_a_problem(inputs):
    project = networks.project(networks.mlp(inputs=inputs), networks.mnist_folder())
    assert not project.graph.problems()
    assert project.graph.output_specs("Norm 2")[0].shape == (networks.HIDDEN,)
    first = project.graph.input_specs("Dense 1")[0]
    assert (first.type, first.shape) == ("real" if inputs == "real" else "bits", (784,))
    if inputs != "real":
        assert first.precision == inputs


@pytest.mark.parametrize("inputs", ["real", "scaled", "8"])
def test_the_measured_cnn_is_a_graph_without_a_problem(inputs):
    graph = networks.project(networks.cnn(inputs=inputs), networks.mnist_folder()).graph
    assert not graph.problems()
    shapes = [graph.output_specs(name)[0].shape for name in ("Sign 1", "Sign 2", "Sign 3", "Norm 4")]
    assert shapes == [(14, 14, 32), (7, 7, 64), (7, 7, 128), (10,)]
    assert [graph.node(f"Conv {i}").weight_bits for i in (1, 2, 3)] == ["32", "1", "1"]


def test_mnist_is_looked_for_where_it_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("POLYBIT_MNIST", str(tmp_path))
    assert main(["bench", "training"]) == 1
    told = capsys.readouterr().err
    assert str(tmp_path) in told
    assert "POLYBIT_MNIST" in told


def test_the_numpy_side_learns():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 256)
    x = (rng.choice([-1.0, 1.0], (10, 784))[y] + rng.normal(0, 1, (256, 784))).astype(np.float32)
    network = Mlp()
    before = [w.copy() for w in network.weights]
    losses = [network.step(x, y) for _ in range(8)]
    assert losses[-1] < losses[0] / 2
    assert all((w != b).any() and np.abs(w).max() <= 1 for w, b in zip(network.weights, before, strict=True))


def test_a_side_is_a_process_that_works_when_told():
    job = {"task": "inference", "folder": str(networks.mnist_folder()), "batch": 4}
    with Side("numpy_mlp", job, cores=1) as side:
        assert side.ready > 0
        once, often = side.time(20), side.time(400)
        assert 0 < once < often
        assert 20 < side.peak_mb() < 2000
        process = side._process
    assert process.poll() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for an interpreter is a shell script")
def test_a_peer_that_is_not_there_is_said_and_its_rows_left_out(monkeypatch, tmp_path, capsys):
    fake = tmp_path / "python"
    fake.write_text(
        "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'tensorflow.lite'\" >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    with pytest.raises(SideError, match="tensorflow is not installed"):
        Side("lce_inference", {}, cores=1, python=str(fake))
    with pytest.raises(SideError, match="cannot be started"):
        Side("lce_inference", {}, cores=1, python=str(tmp_path / "none"))

    def absent(module, job, *, cores, python=sys.executable):
        raise SideError(f"{module} is not installed.")

    monkeypatch.setattr(inference, "Side", absent)
    assert main(["bench", "inference", "--peers", "--json"]) == 0
    out = capsys.readouterr()
    assert json.loads(out.out) == []
    for name in ("onnxruntime_inference", "OpenVINO", "lce_inference", inference.LCE_PYTHON):
        assert name in out.err


def test_inference_is_compared_with_numpy_where_no_peers_are_wanted(monkeypatch, capsys):
    monkeypatch.setattr(inference, "BATCHES", (64,))
    assert main(["bench", "inference", "--pairs", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"].split(", ", 1)[1] for row in rows] == [
        "MLP 784-1024-1024-10, 1-bit inputs, batch 64",
        "MLP 784-1024-1024-10, 8-bit inputs, batch 64",
    ]
    assert {row["peer_name"] for row in rows} == {"NumPy float32"}
    assert all(row["ours"] > 0 and row["peer"] > 0 and row["cores"] == 1 for row in rows)


@pytest.mark.parametrize("title", list(accuracy.WIDTHS))
def test_every_width_is_a_graph_that_differs_from_its_twin_in_width_alone(title):
    trial, twin = accuracy.WIDTHS[title]
    graphs = [networks.project(one.draw(), networks.mnist_folder()).graph for one in (trial, twin)]
    assert not any(graph.problems() for graph in graphs)
    shapes = [[g.output_specs(n)[0].shape for n in g.order if g.output_specs(n)] for g in graphs]
    assert shapes[0] == shapes[1]
    widths = [{g.node(n).weight_bits for n in g.order if hasattr(g.node(n), "weight_bits")} for g in graphs]
    assert title.split(", ")[1].split()[0] in widths[0]
    assert widths[1] == {"32"}


def test_accuracy_is_paired_and_told_with_its_interval(monkeypatch):
    asked, told = [], []

    def score(trial, title, epochs, records, seed, wanted):
        asked.append((title, epochs, records, seed))
        wanted.note(title)
        return (
            98.0
            + 0.1 * seed
            + (1.0 if "distillation" in title else 0.0)
            + 0.01 * seed * title.startswith("MLP, 1 bit")
        )

    monkeypatch.setattr(accuracy, "_score", score)
    rows = {row.name: row for row in accuracy.accuracy(Wanted(pairs=9, note=told.append))}
    assert len(rows) == len(accuracy.WIDTHS) + len(accuracy.SCHEMES)
    (name,) = [n for n in rows if "distillation" in n]
    row = rows[name]
    assert (row.pairs, row.unit) == (5, "% right")
    assert row.ours - row.peer == pytest.approx(1.0)
    assert name.endswith("+1.00 ± 0.00 points")
    (name,) = [n for n in rows if "MLP, 1 bit" in n]
    # Differences 0, 0.01 and 0.02: mean 0.01, deviation 0.01, 4.303 * 0.01 / sqrt(3) = 0.025.
    assert name.endswith("+0.01 ± 0.02 points")
    assert len(asked) == len(set(asked))  # no run is made twice
    assert len(told) == len(asked)
    assert "accuracy" not in QUICK


def test_a_score_is_the_last_epoch_of_the_packed_model(monkeypatch):
    told = []
    trial = accuracy.Trial(networks.mlp, {"rate": 0.01})
    monkeypatch.setattr(networks, "HIDDEN", 32)
    found = accuracy._score(trial, "small", 2, 600, 0, Wanted(note=told.append))
    assert 40 < found < 100
    assert [words.split(",")[1] for words in told] == [" seed 0: epoch 1 of 2", " seed 0: epoch 2 of 2"]
    assert f"{found:.2f} % right" in told[-1]
