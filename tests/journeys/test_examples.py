"""The example projects, end to end from the command line, as the README says."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.cli.main import main
from engine.data.dataset import open_data
from engine.files.model import load_model
from engine.files.project import open_project, project_text, read_project
from engine.files.run import read_run
from engine.train.loop import train
from engine.train.progress import BatchDone, EpochDone

ROOT = Path(__file__).parents[2]
PROJECTS = sorted((ROOT / "projects").glob("*/*.polybit"))
LONG = ("zoo", "sudoku")  # tests/engine/test_zoo.py and test_board_guard.py train what these do
EXAMPLES = [path for path in PROJECTS if path.parent.name not in LONG]
DIGITS = ROOT / "projects" / "digits" / "digits.polybit"
every_project = pytest.mark.parametrize("path", PROJECTS, ids=[p.stem for p in PROJECTS])
every_example = pytest.mark.parametrize("path", EXAMPLES, ids=[p.stem for p in EXAMPLES])


@every_project
def test_an_example_opens_without_a_problem_and_names_its_source(path):
    project = open_project(path)
    assert not project.notes
    assert not project.graph.problems()
    assert project.about
    source = (path.parent / "SOURCE.md").read_text()
    assert "http" in source
    assert "CC BY" in source
    assert read_project(project_text(project), "p").graph.wires == project.graph.wires


@every_example
def test_an_example_trains_exports_and_answers_without_breaking_a_rule(path, tmp_path, capsys):
    run, model, out = tmp_path / "run.h5", tmp_path / "model.h5", tmp_path / "out.csv"
    assert main(["train", str(path), "--out", str(run), "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    floor = {"digits": 0.955, "digits-binary": 0.95, "car": 0.92, "thyroid": 0.98}[path.stem]
    assert trained["accuracy"] >= floor
    assert trained["violations"] == 0
    assert main(["export", str(run), "--out", str(model)]) == 0
    data = next(p for p in path.parent.iterdir() if p.suffix in (".npz", ".csv"))
    assert main(["predict", str(model), "--data", str(data), "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(model), "--data", str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["violations"] == found["unanswered"] == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == found["records"]
    program = load_model(model)
    splits = open_data(open_project(path).graph, path.parent)
    share = float((program.answer(splits.test).labels == splits.test.labels).mean())
    assert share == pytest.approx(trained["accuracy"])


def test_the_digits_hybrid_joins_all_four_paradigms_in_one_graph():
    graph = open_project(DIGITS).graph
    upstream = graph.upstream(graph.of_kind("flow.output")[0])
    assert {graph.node(n).family for n in upstream} >= {"bnn", "hdc", "snn", "logic"}


def test_a_resumed_hybrid_ends_as_a_whole_one(tmp_path):
    project = open_project(DIGITS)
    project = replace(project, training=replace(project.training, epochs=3))
    whole = list(train(project))[-1].program.packed
    steps = train(project, tmp_path / "run.h5")
    for record in steps:
        if isinstance(record, BatchDone) and (record.epoch, record.step) == (3, 2):
            break
    steps.close()
    rest = list(train(project, tmp_path / "run.h5", resume=read_run(tmp_path / "run.h5")))
    assert next((r.stage, r.epoch) for r in rest if isinstance(r, EpochDone)) == ("gradient", 3)
    for name, arrays in whole.items():
        for key, array in arrays.items():
            assert array.tobytes() == rest[-1].program.packed[name][key].tobytes(), (name, key)


def test_a_record_is_answered_alike_alone_and_among_others(tmp_path):
    project = open_project(DIGITS)
    short = replace(project, training=replace(project.training, epochs=2))
    program = list(train(short))[-1].program
    records = open_data(project.graph, project.folder).test.take(slice(0, 60))
    together = program.answer(records).scores
    alone = np.concatenate([program.answer(records.take(slice(i, i + 1))).scores for i in range(60)])
    assert together.tobytes() == alone.tobytes()
