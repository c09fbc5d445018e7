"""Several labels a record: as bits, from a table, learned, repaired, shipped, predicted and looked at."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from label_projects import HARD, LABELS, RULES, labelled, make_table

from engine.catalog import NODES
from engine.cli.main import main
from engine.data.dataset import open_data, override, read_all
from engine.errors import DataError, ModelError, TrainError
from engine.files.model import load_model, write_model
from engine.flow.split import Split, assign
from engine.label_sets import MOST_LABELS, held, joined, name_of, right_share, said
from engine.logic.rules import Rules
from engine.look import look
from engine.losses import LOSSES, SEVERAL
from engine.ports import Spec
from engine.records import Header
from engine.train.loop import Run, train
from engine.train.progress import EpochDone, Finished


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return labelled(tmp_path_factory.mktemp("labels"))


@pytest.fixture(scope="module")
def run(project):
    return list(train(project, project.folder / "run.h5"))


@pytest.fixture(scope="module")
def finished(run):
    assert isinstance(run[-1], Finished)
    return run[-1]


@pytest.fixture(scope="module")
def model(finished, project):
    path = project.folder / "m.h5"
    write_model(path, finished.program, project)
    return path


# Bits


@given(arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, MOST_LABELS))))
def test_labels_are_bits_of_one_number_and_come_apart_again(holds):
    whole = joined(holds)
    assert whole.tolist() == [sum(1 << i for i, v in enumerate(row) if v) for row in holds.tolist()]
    assert (whole >= 0).all()
    assert (held(whole, holds.shape[1]) == holds).all()


def test_unknown_labels_hold_nothing_and_have_no_name():
    assert not held(np.array([-1]), 3).any()
    names = ("a", "b", "c")
    assert [name_of(i, names, several=True) for i in (-1, 0, 1, 6)] == ["", "no label", "a", "b, c"]
    assert [name_of(i, names, several=False) for i in (-1, 0, 2, 3)] == ["", "a", "c", ""]


def test_scores_say_the_largest_class_or_every_label_above_nothing():
    scores = np.array([[1, 3, 3], [-1, -2, 0], [0.5, -np.inf, 2]], np.float32)
    assert said(scores, several=False).tolist() == [1, 2, 2]
    assert said(scores, several=True).tolist() == [7, 0, 5]
    assert right_share(np.array([7, 0]), np.array([5, 1]), 3) == pytest.approx(4 / 6)


# The loss


@pytest.mark.parametrize("loss", SEVERAL)
def test_a_loss_of_several_labels_has_the_gradient_of_its_formula(loss):
    rng = np.random.default_rng(0)
    of = LOSSES.make(loss)
    scores = rng.normal(0, 3, (6, 4))
    target = rng.random((6, 4)) < 0.4
    value, grad = of(scores.astype(np.float32), target)
    if loss == "binary_cross_entropy":
        plain = -np.log(1 / (1 + np.exp(np.where(target, -scores, scores))))
        assert value == pytest.approx(plain.mean(1), rel=1e-5)
    for place in np.ndindex(*scores.shape):
        moved = [scores.copy(), scores.copy()]
        for change, sign in zip(moved, (1, -1), strict=True):
            change[place] += sign * 1e-3
        slope = (of(moved[0], target)[0] - of(moved[1], target)[0]).mean() / 2e-3
        assert grad[place] == pytest.approx(slope, abs=2e-4)


def test_a_loss_of_several_labels_takes_one_class_too():
    rng = np.random.default_rng(1)
    scores, labels = rng.standard_normal((5, 3)).astype(np.float32), np.array([0, 2, 1, 1, 0])
    for key in SEVERAL:
        one, other = LOSSES.make(key)(scores, labels), LOSSES.make(key)(scores, np.eye(3, dtype=bool)[labels])
        assert (one[0] == other[0]).all()
        assert (one[1] == other[1]).all()


def test_scores_far_out_give_finite_losses_and_smoothing_moves_the_target():
    of = LOSSES.make("binary_cross_entropy")
    scores = np.array([[200.0, -200.0]], np.float32)
    value, grad = of(scores, np.array([[True, False]]))
    assert value == 0
    assert (grad == 0).all()
    value, grad = of(scores, np.array([[False, True]]), 0.2)
    assert value == pytest.approx(180)
    assert grad.tolist() == [[pytest.approx(0.45), pytest.approx(-0.45)]]


# The table


def test_a_table_gives_several_labels_and_keeps_them_out_of_the_facts(project):
    header = project.graph.node("data").header
    assert header.several
    assert header.classes == LABELS
    assert [c.name for c in header.columns] == ["m1", "m2", "m3", "age", "m4", "m5"]
    records = read_all(project.graph, project.folder)
    assert records.notes == ()
    with (project.folder / "ward.csv").open() as file:
        rows = list(csv.DictReader(file))
    wanted = [[row[name] in ("1", "yes") for name in LABELS] for row in rows]
    assert held(records.labels, len(LABELS)).tolist() == wanted


def source(folder, text, label):
    (folder / "t.csv").write_text(text)
    return NODES["data.csv"](path="t.csv", label=label).probe(folder)


def test_a_gap_leaves_the_labels_of_a_record_unknown(tmp_path):
    node = source(tmp_path, "x,a,b\n1,True,0\n2,?,1\n3,1.0,NO\n", "a,b")
    records = node.read(tmp_path)
    assert records.labels.tolist() == [1, -1, 1]
    assert records.notes == ("1 rows have no label.",)


@pytest.mark.parametrize(
    ("label", "cell", "words"),
    [
        ("a, b", "maybe", "line 2, column 'b': 'maybe' is neither 0 nor 1"),
        ("a, b", "2", "line 2, column 'b': '2' is neither 0 nor 1"),
        ("a, c", "1", "There is no column 'c'; there are x, a, b."),
    ],
)
def test_columns_that_are_no_labels_get_a_sentence(tmp_path, label, cell, words):
    with pytest.raises(DataError) as caught:
        source(tmp_path, f"x,a,b\n1,1,{cell}\n", label)
    assert words in str(caught.value)


def test_more_labels_than_bits_get_a_sentence(tmp_path):
    names = [f"l{i}" for i in range(MOST_LABELS + 1)]
    text = "x," + ",".join(names) + "\n1," + ",".join("1" * len(names)) + "\n"
    with pytest.raises(DataError, match="63 label columns; at most 62"):
        source(tmp_path, text, ",".join(names))
    node = source(tmp_path, text, ",".join(names[1:]))
    assert node.read(tmp_path).labels.tolist() == [(1 << MOST_LABELS) - 1]


def test_one_column_with_a_comma_in_its_name_is_one_class(tmp_path):
    node = source(tmp_path, 'x,"a, b"\n1,up\n2,down\n', "a, b")
    assert not node.header.several
    assert node.header.classes == ("down", "up")


def test_arrays_bring_several_labels_as_rows_of_bits(project, tmp_path):
    records = read_all(project.graph, project.folder)
    y = held(records.labels, len(LABELS)).astype(np.int8)
    np.savez(tmp_path / "a.npz", x=records.samples, y=y)
    found = read_all(override(project.graph, tmp_path / "a.npz"), tmp_path)
    assert len(found) == len(records)
    assert set(found.labels.tolist()) in ({-1}, set(records.labels.tolist()))


def test_the_split_is_the_one_of_before_and_takes_no_time_over_many_sets():
    labels = np.random.default_rng(0).integers(-1, 4, 500)
    node, n = Split(train=60, validation=20, test=20, seed=3), 500
    rng, parts, seen, given_tests, given_validations = np.random.default_rng(3), np.zeros(n, np.int8), 0, 0, 0
    for label in np.unique(labels):  # as it was written first
        rows = rng.permutation(np.flatnonzero(labels == label))
        seen += len(rows)
        tests = min(len(rows), max(0, round(seen * 0.2) - given_tests))
        count = min(len(rows) - tests, max(0, round(seen * 0.2) - given_validations))
        parts[rows[:tests]], parts[rows[tests : tests + count]] = 2, 1
        given_tests, given_validations = given_tests + tests, given_validations + count
    assert assign(node, labels).tolist() == parts.tolist()
    many = np.arange(100_000, dtype=np.int64) << 20
    assert np.bincount(assign(node, many)).tolist() == [60_000, 20_000, 20_000]


# What does not go together


def test_what_is_for_one_class_refuses_several_labels():
    labels = Spec("labels", (), classes=LABELS, several=True)
    scores = Spec("scores", (5,))
    hyper = Spec("hypervector", (64,))
    for node, inputs in (
        (Rules(), (scores, None, labels)),
        (NODES["hdc.memory"](), (hyper, labels)),
        (NODES["bnn.vote"](), (scores, scores, *[None] * (len(NODES["bnn.vote"].inputs) - 3), labels)),
        (NODES["flow.output"](), (replace(scores, several=False), labels)),
    ):
        with pytest.raises(Exception, match="several labels") as caught:
            node.specs(*inputs)
        assert caught.value.do
    assert NODES["flow.output"]().specs(scores, labels) == ()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"loss": "cross_entropy"}, "Cross-entropy is of one class a record"),
        ({"teacher": "self"}, "A teacher is followed in one class"),
    ],
)
def test_settings_for_one_class_are_refused_in_a_sentence(project, setting, words):
    changed = replace(project, training=replace(project.training, **setting))
    with pytest.raises(TrainError, match=words):
        list(Run(changed).steps())


# End to end


def test_training_learns_the_labels_and_the_guard_lets_nothing_broken_through(run, finished, project):
    epochs = [r for r in run if isinstance(r, EpochDone)]
    figures = [e.metrics["out: labels right"] for e in epochs]
    assert all(e.accuracy <= f for e, f in zip(epochs, figures, strict=True))
    assert finished.label_accuracy > 0.75
    assert finished.accuracy < finished.label_accuracy
    records = read_all(project.graph, project.folder)
    answer = finished.program.answer(records)
    hard_raw, hard = answer.broken[:, :HARD].any(1).sum(), answer.left[:, :HARD].any(1).sum()
    assert hard_raw > 0
    assert hard == 0
    holds = dict(zip(LABELS, answer.held.T, strict=True))
    age = records.facts[:, 3]
    assert not (holds["infection"] & ~holds["antibiotics"]).any()
    assert not (holds["rest"] & holds["surgery"]).any()
    assert not (holds["surgery"] & (age < 30)).any()
    assert (answer.held == (answer.scores > 0)).all()
    assert (answer.raw_held == (answer.raw_scores > 0)).all()


def test_the_most_probable_labels_are_taken(finished, project):
    """Brute force over all 32 answers: none that keeps the hard rules costs less."""
    records = read_all(project.graph, project.folder).take(slice(0, 100))
    answer = finished.program.answer(records)
    every = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(bool)
    infection, antibiotics, rest, surgery, fever = every.T
    kept = (~infection | antibiotics) & ~(rest & surgery)
    for i, age in enumerate(records.facts[:, 3]):
        allowed = kept & ~(surgery & (age < 30))
        gains = every @ answer.raw_scores[i].astype(np.float64) - 0.01 * ~(rest | surgery | fever)
        best = gains[allowed].max()
        assert gains[answer.labels[i]] >= best - 1e-3


HEADLESS = """
import sys
for name in ("PySide6", "pyqtgraph", "scipy"):
    sys.modules[name] = None
import numpy as np, engine
program = engine.load_model(sys.argv[1])
given = np.load(sys.argv[2])
np.save(sys.argv[3], program.predict(given["x"], given["facts"]))
"""


def test_a_model_predicts_the_same_without_the_window(model, finished, project, tmp_path):
    records = read_all(project.graph, project.folder)
    np.savez(tmp_path / "x.npz", x=records.samples, facts=records.facts)
    files = [model, tmp_path / "x.npz", tmp_path / "y.npy"]
    subprocess.run([sys.executable, "-c", HEADLESS, *map(str, files)], check=True)
    expected = finished.program.answer(records)
    assert np.load(tmp_path / "y.npy").tolist() == expected.labels.tolist()
    again = load_model(model).answer(records.take(slice(7, 9)))
    assert again.scores.tobytes() == expected.scores[7:9].tobytes()


def test_without_a_guard_and_by_the_runner_labels_are_those_above_nothing(finished, project):
    graph = finished.program.graph.remove("rules").wire("head", "out", "out", "scores")
    program = replace(finished.program, graph=graph)
    records = read_all(project.graph, project.folder)
    expected = finished.program.answer(records).raw_labels
    assert program.predict(records.samples).tolist() == expected.tolist()
    assert program.predict(records.samples[:3]).tolist() == expected[:3].tolist()
    assert program.runner(4).labels(records.samples[:4]).tolist() == expected[:4].tolist()


def test_a_model_file_says_that_there_are_several(model):
    with h5py.File(model) as file:
        stored = json.loads(file["input"][()].tobytes())["data"]
    assert stored["several"] is True
    with h5py.File(model, "r+") as file:
        del file["input"]
        text = json.dumps({"data": {**stored, "several": 1}})
        file["input"] = np.frombuffer(text.encode(), np.uint8)
    with pytest.raises(ModelError, match="does not say what records look like"):
        load_model(model)
    with h5py.File(model, "r+") as file:
        del file["input"]
        file["input"] = np.frombuffer(json.dumps({"data": stored}).encode(), np.uint8)


def test_a_header_of_one_class_is_stored_as_before(binary_project, tmp_path):
    run = Run(binary_project)
    next(iter(run.steps()))
    run.prepared()
    write_model(tmp_path / "one.h5", run.program(), binary_project)
    with h5py.File(tmp_path / "one.h5") as file:
        stored = json.loads(file["input"][()].tobytes())["data"]
    assert set(stored) == {"shape", "classes", "columns", "records", "encoding"}
    assert Header((1,)).several is False


def test_the_command_line_writes_a_column_a_label_and_says_both_accuracies(project, run, tmp_path, capsys):
    data, out = str(project.folder / "ward.csv"), tmp_path / "o.csv"
    file = str(project.folder / "run.h5")
    assert main(["predict", file, "--data", data, "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    capsys.readouterr()
    assert main(["evaluate", file, "--data", data, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    with (project.folder / "ward.csv").open() as table:
        true = [[row[name] in ("1", "yes") for name in LABELS] for row in csv.DictReader(table)]
    told = [[row[f"label_{name}"] == "1" for name in LABELS] for row in rows]
    raw = [[row[f"raw_label_{name}"] == "1" for name in LABELS] for row in rows]
    assert figures["label_accuracy"] == pytest.approx(np.mean(np.array(told) == true))
    assert figures["label_accuracy_raw"] == pytest.approx(np.mean(np.array(raw) == true))
    assert figures["accuracy"] == pytest.approx(np.mean([a == b for a, b in zip(told, true, strict=True)]))
    assert figures["classes"]["rest"]["records"] == sum(row[2] for row in true)
    broken = [row for row in rows if "treat" in row["broken_rules"]]
    assert broken
    assert all(row["raw_label_infection"] == "1" and row["raw_label_antibiotics"] == "0" for row in broken)
    names = [", ".join(n for n in LABELS if row[f"label_{n}"] == "1") or "no label" for row in broken]
    assert [row["label"] for row in broken] == names
    assert main(["evaluate", file, "--data", data]) == 0
    assert "Label by label" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_arrays_of_predictions_have_a_column_a_label(project, run, tmp_path, suffix, capsys):
    out = tmp_path / f"o{suffix}"
    arguments = ["--data", str(project.folder / "ward.csv"), "--out", str(out)]
    assert main(["predict", str(project.folder / "run.h5"), *arguments]) == 0
    found = np.load(out) if suffix == ".npz" else h5py.File(out)
    assert found["held"].shape == found["raw_held"].shape == (400, 5)
    assert (joined(found["held"][()]) == found["label"][()]).all()
    found.close()


def test_a_look_counts_each_label_and_names_answers(finished, project):
    records = open_data(project.graph, project.folder).validation
    seen = look(finished.program, records)
    answer = finished.program.answer(records)
    true = held(records.labels, 5)
    assert seen.several
    assert seen.confusion.shape == (5, 4)
    assert (seen.confusion.sum(1) == len(records)).all()
    assert seen.confusion[2].tolist() == [
        int((true[:, 2] & answer.held[:, 2]).sum()),
        int((true[:, 2] & ~answer.held[:, 2]).sum()),
        int((~true[:, 2] & answer.held[:, 2]).sum()),
        int((~true[:, 2] & ~answer.held[:, 2]).sum()),
    ]
    assert seen.accuracy(2) == pytest.approx(float((true[:, 2] == answer.held[:, 2]).mean()))
    assert seen.guard.cases
    for found in seen.guard.cases:
        assert found.said == answer.name(int(answer.raw_labels[found.record]))
        assert found.fixed == answer.name(int(answer.labels[found.record]))
        assert found.label == answer.name(int(records.labels[found.record]))


def test_the_rules_can_be_learned_with(tmp_path):
    hard = RULES.split("\nrule some")[0]
    taught = labelled(tmp_path, epochs=2, rules=hard, rule_weight=1.0)
    end = list(train(taught))[-1]
    assert end.violations == 0


def test_a_table_without_labels_is_answered_alike(project, finished, tmp_path):
    make_table(tmp_path / "w.csv", 50)
    with (tmp_path / "w.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in LABELS]
    text = "\n".join([",".join(names), *(",".join(row[n] for n in names) for row in rows)])
    (tmp_path / "bare.csv").write_text(text + "\n")
    whole, bare = (read_all(override(project.graph, tmp_path / n), tmp_path) for n in ("w.csv", "bare.csv"))
    assert set(bare.labels.tolist()) == {-1}
    assert "no label column" in bare.notes[0]
    one, other = finished.program.answer(whole), finished.program.answer(bare)
    assert one.labels.tolist() == other.labels.tolist()
