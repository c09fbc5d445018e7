"""train/gradient.py and what it joins: stages, means, patience, limits, teachers; and going on with each."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import ModelError, TrainError
from engine.files.project import probed, save_project
from engine.files.run import read_run
from engine.files.store import packed
from engine.schedules import cosine
from engine.train.loop import Run, train
from engine.train.progress import BatchDone, EpochDone, StageStarted
from engine.train.resume import resumed

VARIANTS = {
    "sgd and bop": {"optimiser": "nesterov", "rate": 0.05, "binary_optimiser": "bop2", "warm_up": 1.5},
    "mean": {"average": 0.9, "floor": 0.1},
    "patience": {"patience": 1, "average": 0.5, "epochs": 7},
    "weights first": {"stages": "weights", "float_epochs": 1, "middle_epochs": 2, "epochs": 5},
    "activations first": {
        "stages": "activations",
        "float_epochs": 0,
        "middle_epochs": 2,
        "fresh": False,
        "average": 0.9,
        "binary_optimiser": "bop",
        "binary_rate": 0.01,
    },
    "limits": {"limit": "deviation", "limit_at": 2.0, "gradient_clip": 0.5},
    "quantile": {"limit": "quantile", "limit_at": 0.9, "schedule": "one_cycle", "stages": "activations"},
    "augmented": {"augment": "shift 1, rotate 10, flip 0.2, noise 0.1, cutout 2, mixup 0.3"},
    "taught by itself": {"teacher": "self", "teacher_epochs": 2, "temperature": 2.0},
    "taught and augmented": {
        "teacher": "self",
        "teacher_epochs": 2,
        "augment": "mixup",
        "label_weight": 0.5,
        "stages": "weights",
        "float_epochs": 1,
        "middle_epochs": 1,
    },
}


def with_settings(project, **values):
    return replace(project, training=replace(project.training, **values))


def same(program, other):
    for name, arrays in program.packed.items():
        for key, array in arrays.items():
            assert array.tobytes() == other.packed[name][key].tobytes(), (name, key)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_run_that_is_cut_off_anywhere_ends_as_a_whole_one(binary_project, tmp_path, name):
    project = with_settings(binary_project, **VARIANTS[name])
    records = list(train(project))
    whole = records[-1].program
    told = [(r.stage, r.epoch) for r in records if isinstance(r, EpochDone)]
    path = tmp_path / "run.h5"
    for cut in sorted({1, len(told) // 2, len(told) - 1}):
        steps = train(project, path)
        done = 0
        for record in steps:
            done += isinstance(record, EpochDone)
            if done == cut and isinstance(record, BatchDone):
                break
        steps.close()
        rest = list(train(project, path, resume=resumed(project, path)))
        assert [(r.stage, r.epoch) for r in rest if isinstance(r, EpochDone)] == told[cut:], cut
        same(rest[-1].program, whole)
        kept = read_run(path)
        assert kept.finished
        same(kept.program(), whole)
        path.unlink()


def test_a_finished_run_goes_on_as_it_ended(binary_project, tmp_path):
    project = with_settings(binary_project, average=0.9, patience=2)
    path = tmp_path / "run.h5"
    end = list(train(project, path))[-1]
    again = list(train(project, path, resume=resumed(project, path)))
    assert not any(isinstance(r, EpochDone) for r in again)
    same(again[-1].program, end.program)


def test_a_run_may_go_on_for_longer_but_not_otherwise(binary_project, tmp_path):
    path = tmp_path / "run.h5"
    list(train(binary_project, path))
    longer = with_settings(binary_project, epochs=6)
    rest = list(train(longer, path, resume=resumed(longer, path)))
    assert [r.epoch for r in rest if isinstance(r, EpochDone)] == [5, 6]
    with pytest.raises(TrainError, match="Seed was 0 and is 3"):
        resumed(with_settings(longer, seed=3), path)
    with pytest.raises(TrainError, match=r"Epochs was 6 and is 4.*Optimiser was 'adamw' and is 'sgd'"):
        resumed(with_settings(binary_project, optimiser="sgd"), path)


def test_the_mean_of_the_weights_is_that_of_its_formula_and_ships(binary_project):
    run = Run(with_settings(binary_project, average=0.6, epochs=1))
    mean, steps = None, 0
    for record in run.steps():
        if isinstance(record, StageStarted) and record.stage == "gradient":
            mean = run.weights["hidden"]["weight"].astype(np.float64)
        if isinstance(record, BatchDone):
            steps += 1
            keep = min(0.6, (1 + steps) / (10 + steps))
            mean = keep * mean + (1 - keep) * run.weights["hidden"]["weight"]
            assert np.allclose(run.shipped["hidden"]["weight"], mean, atol=1e-6)
        if isinstance(record, EpochDone):
            assert not np.allclose(run.weights["hidden"]["weight"], mean, atol=1e-5)
            same(record.program, run.program())
    assert np.allclose(run.weights["hidden"]["weight"], mean, atol=1e-6)  # settled: what ships


def test_patience_stops_and_brings_the_best_epoch_back(binary_project):
    project = with_settings(binary_project, patience=2, epochs=40, rate=0.05)
    run = Run(project)
    records = list(run.steps())
    epochs = [r for r in records if isinstance(r, EpochDone)]
    best = max(epochs, key=lambda r: r.accuracy)
    assert len(epochs) == best.epoch + 2 < 40
    same(records[-1].program, best.program)
    words = [r.words for r in records if isinstance(r, StageStarted)][-1]
    assert words.startswith(f"Kept epoch {best.epoch} of {len(epochs)} after 2 epochs without a better one")


def test_stages_are_told_and_scored_by_what_they_compute(binary_project):
    project = with_settings(
        binary_project, stages="weights", float_epochs=2, middle_epochs=2, epochs=8, rate=0.003
    )
    run = Run(project)
    records = list(run.steps())
    words = [r.words for r in records if isinstance(r, StageStarted) if r.stage == "gradient"]
    assert words == [
        "Training by gradient",
        "Training: floats",
        "Training: quantized weights, float activations",
        "Training: all quantized",
    ]
    epochs = [r for r in records if isinstance(r, EpochDone)]
    assert [r.part for r in epochs] == (
        ["floats"] * 2 + ["quantized weights, float activations"] * 2 + ["all quantized"] * 4
    )
    assert [bool(np.isnan(r.own_accuracy)) for r in epochs] == [False] * 4 + [True] * 4
    assert epochs[1].own_accuracy > 0.8
    assert records[-1].validation_accuracy > 0.9
    rates = [r.rate for r in records if isinstance(r, BatchDone)]
    steps = len(rates) // 8
    assert rates[2 * steps - 1] < 1e-6 < rates[2 * steps]  # the schedule starts anew in every stage


def test_a_stage_of_floats_is_the_network_without_signs(binary_project):
    """Its loss has a true gradient: every parameter passes finite differences."""
    run = Run(with_settings(binary_project, stages="weights", float_epochs=1, middle_epochs=1))
    for record in run.steps():
        if isinstance(record, BatchDone):
            break
    plan, batch = run._descent.plan, run.splits.train.take(slice(0, 32))
    dy = np.random.default_rng(0).standard_normal((32, 3)).astype(np.float32)

    def value():
        return float((plan.forward(batch).astype(np.float64) * dy).sum())

    value()
    plan.backward(dy)
    for key, p in plan.parameters().items():
        at = np.unravel_index(np.abs(p.grad).argmax(), p.grad.shape)
        wanted, before = float(p.grad[at]), p.value[at]
        p.value[at] = before + 1e-3
        up = value()
        p.value[at] = before - 1e-3
        down = value()
        p.value[at] = before
        assert (up - down) / 2e-3 == pytest.approx(wanted, rel=0.05, abs=0.05), key


def test_learned_steps_start_when_they_are_first_used(binary_project):
    graph = binary_project.graph.change("hidden", activation_bits="4")
    settings = {"stages": "weights", "float_epochs": 1, "middle_epochs": 1, "epochs": 3}
    run, steps = Run(with_settings(replace(binary_project, graph=graph), **settings)), []
    for record in run.steps():
        steps += [float(run.weights["hidden"]["step"][0])] if isinstance(record, EpochDone) else []
    assert steps[:2] == [0, 0]
    assert 0.01 < steps[2] < 2


def test_learned_steps_of_weights_start_from_what_the_floats_came_to(binary_project):
    graph = binary_project.graph.change("hidden", weight_bits="2", weight_quantizer="lsq")
    settings = {"stages": "weights", "float_epochs": 2, "middle_epochs": 1, "epochs": 4, "rate": 0.05}
    run = Run(with_settings(replace(binary_project, graph=graph), **settings))
    for record in run.steps():
        if isinstance(record, StageStarted) and record.words.startswith("Training: quantized weights"):
            weight, step = (run.weights["hidden"][n] for n in ("weight", "weight_step"))
            assert float(step[0]) == pytest.approx(2 * float(np.abs(weight).mean()), rel=1e-4)
            return
    pytest.fail("no stage of quantized weights began")


def test_limits_follow_the_latent_weights(binary_project):
    run = Run(with_settings(binary_project, limit="deviation", limit_at=1.0, epochs=8))
    list(run.steps())
    weight = run.weights["hidden"]["weight"]
    deviation = float(np.sqrt(np.square(weight).mean()))
    assert float(np.abs(weight).max()) < 2.0 * deviation
    free = Run(with_settings(binary_project, epochs=8))
    list(free.steps())
    assert float(np.abs(free.weights["hidden"]["weight"]).max()) > 2.0 * deviation


def test_long_gradients_are_shortened(binary_project):
    run = Run(with_settings(binary_project, gradient_clip=1e-3, epochs=1))
    for record in run.steps():
        if isinstance(record, BatchDone):
            grads = [p.grad for p in run._descent.plan.parameters().values()]
            length = np.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in grads))
            assert length <= 1e-3 * 1.001


def test_what_is_watched_has_stable_names(binary_project):
    records = list(train(binary_project))
    epoch = next(r for r in records if isinstance(r, EpochDone))
    names = {"hidden: flipped", "head: flipped", "hidden: at limit", "hidden: gradient", "gradient"}
    assert names | {"sign: dead", "sign: saturated"} <= set(epoch.metrics)
    watched = [r.metrics for r in records if isinstance(r, BatchDone) and r.metrics]
    assert watched
    assert all(0 <= v <= 1 for m in watched for k, v in m.items() if not k.endswith("gradient"))
    assert set(watched[0]) == set(epoch.metrics)


def test_a_dead_channel_is_seen(binary_project):
    run = Run(with_settings(binary_project, epochs=1))
    for record in run.steps():
        if isinstance(record, StageStarted) and record.stage == "gradient":
            run.weights["norm"]["beta"][:6] = 1000
            run.weights["norm"]["beta"][6:12] = -1000
        if isinstance(record, EpochDone):
            assert record.metrics["sign: dead"] == pytest.approx(12 / 48)


def test_images_alone_can_be_shifted(binary_project):
    data = binary_project.path.parent / "data.npz"
    arrays = dict(np.load(data))
    np.savez(data, x=arrays["x"].reshape(len(arrays["y"]), -1), y=arrays["y"])
    project = probed(with_settings(binary_project, augment="shift"))
    with pytest.raises(TrainError, match=r"change images; records have the shape \(36,\)"):
        list(train(project))


def test_packing_what_a_checkpoint_holds_gives_what_was_scored(binary_project, tmp_path):
    path = tmp_path / "run.h5"
    steps = train(with_settings(binary_project, average=0.9), path)
    done = next(r for r in steps if isinstance(r, EpochDone))
    steps.close()
    kept = read_run(path)
    same(kept.program(), done.program)
    assert packed(kept.project.graph, kept.weights)["hidden"]["scale"].tobytes() != (
        done.program.packed["hidden"]["scale"].tobytes()
    )


@pytest.mark.parametrize("last", ["teacher 2/2", "gradient 1/8", "gradient 4/8"])
def test_killing_it_anywhere_loses_no_epoch_and_changes_no_bit(binary_project, tmp_path, last):
    """SIGKILL right after an epoch is told; what goes on from the file ends as a whole run does."""
    project = with_settings(
        binary_project,
        teacher="self",
        teacher_epochs=2,
        stages="weights",
        float_epochs=2,
        middle_epochs=2,
        epochs=8,
        average=0.8,
        patience=3,
        augment="shift 1",
    )
    save_project(project, project.path)
    out = tmp_path / "run.h5"
    command = [sys.executable, "-m", "engine", "train", str(project.path), "--out", str(out)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert any(line.startswith(last) for line in child.stdout)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    rest = list(train(project, out, resume=resumed(project, out)))
    same(rest[-1].program, list(train(project))[-1].program)


def test_a_run_file_whose_state_does_not_fit_is_refused(binary_project, tmp_path):
    path = tmp_path / "run.h5"
    project = with_settings(binary_project, average=0.9, teacher="self", teacher_epochs=1)
    steps = train(project, path)
    next(r for r in steps if isinstance(r, EpochDone) and r.stage == "gradient")
    steps.close()
    kept = read_run(path)
    without = {name: arrays for name, arrays in kept.average.items() if name != "norm"}
    with pytest.raises(ModelError, match="running means in the run file do not fit"):
        list(train(project, path, resume=replace(kept, average=without)))
    for state in ({"settled": 3}, {"patience": {"waited": "long"}}, [], {"teacher": 5}):
        history = {**kept.history, "state": state}
        with pytest.raises(ModelError, match="Its history says"):
            list(train(project, path, resume=replace(kept, history=history)))
    other = replace(kept.teacher, project=with_settings(kept.teacher.project, seed=9))
    with pytest.raises(TrainError, match="The teacher has changed since this run began"):
        list(train(project, path, resume=replace(kept, teacher=other)))


def test_without_stages_and_warm_up_the_rate_is_that_of_the_schedule_to_the_bit(binary_project):
    project = with_settings(binary_project, epochs=7)
    found = [r for r in train(project) if isinstance(r, BatchDone)]
    total = 7 * found[0].steps
    assert [r.rate for r in found] == [0.01 * cosine(step / total) for step in range(1, total + 1)]
