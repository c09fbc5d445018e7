"""train/loop.py: it learns, stops anywhere, and goes on as if it had not."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError, ModelError, TrainError
from engine.files.project import probed
from engine.files.run import read_run
from engine.train.loop import Run, train
from engine.train.progress import BatchDone, EpochDone, Finished, StageStarted
from engine.train.resume import resumed


def test_it_learns_and_scores_what_it_ships(binary_project):
    run = Run(binary_project)
    records = list(run.steps())
    assert isinstance(records[0], StageStarted)
    last = [r for r in records if isinstance(r, EpochDone)][-1]
    assert last.accuracy > 0.9
    end = records[-1]
    assert isinstance(end, Finished)
    answer = end.program.answer(run.splits.test)
    assert end.accuracy == float((answer.labels == run.splits.test.labels).mean())


def test_records_count_epochs_steps_and_time(binary_project):
    batches = [r for r in train(binary_project) if isinstance(r, BatchDone)]
    assert {(b.epoch, b.epochs) for b in batches} == {(e, 4) for e in range(1, 5)}
    assert len(batches) == 4 * batches[0].steps
    assert all(b.records_per_second > 0 and b.seconds_left >= 0 for b in batches)
    assert batches[0].rate > batches[-1].rate >= 0


def test_the_same_seed_trains_the_same_model(binary_project):
    ends = [list(train(binary_project))[-1] for _ in range(2)]
    for name, arrays in ends[0].program.packed.items():
        for key, array in arrays.items():
            assert array.tobytes() == ends[1].program.packed[name][key].tobytes()


def test_closing_leaves_a_whole_model_and_the_last_epoch_on_disk(binary_project, tmp_path):
    run = Run(binary_project, tmp_path / "run.h5")
    steps = run.steps()
    for record in steps:
        if isinstance(record, BatchDone) and (record.epoch, record.step) == (3, 2):
            break
    steps.close()
    assert run.program().answer(run.validation).labels.shape == (len(run.validation),)
    assert read_run(tmp_path / "run.h5").epoch == 2


def test_a_resumed_run_ends_as_a_whole_one(binary_project, tmp_path):
    whole = list(train(binary_project))[-1]
    steps = train(binary_project, tmp_path / "run.h5")
    for record in steps:
        if isinstance(record, BatchDone) and (record.epoch, record.step) == (3, 3):
            break
    steps.close()
    rest = list(train(binary_project, tmp_path / "run.h5", resume=read_run(tmp_path / "run.h5")))
    assert [r.epoch for r in rest if isinstance(r, EpochDone)] == [3, 4]
    for name, arrays in whole.program.packed.items():
        for key, array in arrays.items():
            assert array.tobytes() == rest[-1].program.packed[name][key].tobytes(), (name, key)
    assert read_run(tmp_path / "run.h5").finished


def test_killing_it_leaves_the_last_finished_epoch(binary_project, tmp_path):
    out = tmp_path / "run.h5"
    command = [sys.executable, "-m", "engine", "train", str(binary_project.path), "--out", str(out)]
    child = subprocess.Popen([*command, "--epochs", "100000"], stdout=subprocess.PIPE, text=True)
    try:
        for line in child.stdout:
            if line.startswith("gradient 5/"):
                break
        time.sleep(0.05)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    found = read_run(out)
    assert found.epoch >= 5
    assert found.program().predict(np.zeros((2, 6, 6), np.float32)).shape == (2,)


def test_a_graph_with_problems_is_refused_in_words(binary_project):
    broken = replace(binary_project, graph=binary_project.graph.change("head", units=7))
    with pytest.raises(TrainError, match="The graph cannot be trained yet"):
        list(train(broken))


def test_a_file_that_cannot_be_read_is_said_to_a_program_too(binary_project, data_file):
    with np.load(data_file) as kept:
        arrays = dict(kept)
    arrays["x"][3].flat[2] = np.nan
    np.savez(data_file, **arrays)
    project = probed(binary_project)
    with pytest.raises(DataError, match=r"data, .*record 4: A sample is not a finite number"):
        next(s for s in train(project) if isinstance(s, BatchDone))


def test_an_exploding_loss_stops_with_advice(binary_project):
    graph = binary_project.graph.change("head", weight_bits="32").change("hidden", weight_bits="32")
    graph = graph.remove("norm", "sign", "scale").wire("hidden", "out", "head", "in")
    graph = graph.wire("split", "samples", "flat", "in")
    data = binary_project.path.parent / "data.npz"
    arrays = dict(np.load(data))
    np.savez(data, x=arrays["x"] * np.float32(1e38), y=arrays["y"])
    with np.errstate(all="ignore"), pytest.raises(TrainError, match="no longer a number"):
        list(train(replace(binary_project, graph=graph)))


def test_a_run_stops_where_another_program_writes_its_file(binary_project, tmp_path):
    path = tmp_path / "run.h5"
    first = train(binary_project, path)
    for record in first:
        if isinstance(record, EpochDone):
            break
    other = list(train(replace(binary_project, training=replace(binary_project.training, seed=7)), path))[-1]
    with pytest.raises(TrainError, match="Another program has written this file"):
        list(first)
    kept = read_run(path)
    assert kept.finished
    assert kept.project.training.seed == 7
    assert other.checkpoint == str(path)


def test_an_optimiser_of_another_graph_is_refused(binary_project, tmp_path):
    path = tmp_path / "run.h5"
    list(train(binary_project, path))
    found = read_run(path)
    found.optimiser.pop("hidden/weight")
    more = replace(binary_project, training=replace(binary_project.training, epochs=6))
    with pytest.raises(ModelError, match="does not fit its graph"):
        list(train(more, path, resume=found))


def test_whole_numbers_train_as_the_same_floats_do(binary_project):
    data = binary_project.path.parent / "data.npz"
    arrays = dict(np.load(data))
    pixels = np.clip(arrays["x"] * 100 + 100, 0, 255).astype(np.uint8)
    ends = []
    for kind in (np.uint8, np.float32):
        np.savez(data, x=pixels.astype(kind), y=arrays["y"])
        run = Run(binary_project)
        ends.append(list(run.steps())[-1].program.packed)
        assert run.splits.train.samples.dtype == kind
    for name, packed in ends[0].items():
        for key, array in packed.items():
            assert array.tobytes() == ends[1][name][key].tobytes(), (name, key)


def test_a_run_of_an_older_program_goes_on(binary_project, tmp_path):
    """tests/files/run-1.h5: two epochs of this project, kept before there was a choice of optimiser."""
    path = tmp_path / "run.h5"
    path.write_bytes((Path(__file__).parents[1] / "files" / "run-1.h5").read_bytes())
    project = replace(read_run(path).project, path=binary_project.path)
    kept = resumed(project, path)
    assert (kept.epoch, kept.finished) == (2, False)
    assert int(kept.optimiser["steps"]) == 2 * 7
    before = kept.program().packed["hidden"]["weight"].tobytes()
    rest = list(train(project, path, resume=kept))
    assert [r.epoch for r in rest if isinstance(r, EpochDone)] == [3, 4]
    assert rest[-1].validation_accuracy > 0.9
    assert rest[-1].program.packed["hidden"]["weight"].tobytes() != before
