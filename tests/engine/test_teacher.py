"""train/teacher.py and train/lesson.py: where a teacher comes from, what it adds, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from tests_wiring import wired

from engine.augmentations import Batch
from engine.catalog import NODES as N
from engine.errors import ModelError, TrainError
from engine.files.exporters import export_run
from engine.files.project import Project, probed, save_project
from engine.files.run import read_run
from engine.losses import cross_entropy
from engine.node import Moment
from engine.settings import Training
from engine.train.floats import with_float_activations
from engine.train.gradient import Descent
from engine.train.loop import Run, train
from engine.train.plan import Plan
from engine.train.progress import BatchDone, EpochDone, StageStarted
from engine.train.resume import resumed
from engine.train.teacher import Teacher

WIRES = [
    "data.samples -> split.samples",
    "data.labels -> split.labels",
    "split.samples -> first.in",
    "first.out -> norm.in",
    "norm.out -> sign.in",
    "sign.out -> second.in",
    "second.out -> flat.in",
    "flat.out -> head.in",
    "head.out -> out.scores",
    "split.labels -> out.labels",
]


def conv_project(folder, name="conv", *, filters=4, bits="1", **settings):
    graph = wired(
        {
            "data": N["data.npz"](path="data.npz"),
            "split": N["flow.split"](),
            "first": N["bnn.conv2d"](filters=filters, weight_bits=bits),
            "norm": N["bnn.batch_norm"](),
            "sign": N["bnn.sign"](),
            "second": N["bnn.conv2d"](filters=filters, weight_bits=bits),
            "flat": N["flow.flatten"](),
            "head": N["bnn.dense"](units=3, weight_bits=bits),
            "out": N["flow.output"](),
        },
        WIRES,
    )
    training = Training(**{"epochs": 2, "batch": 32, "rate": 0.01, **settings})
    return probed(
        save_project(Project(graph=graph, training=training, name=name), folder / f"{name}.polybit")
    )


@pytest.fixture
def folder(data_file):
    return data_file.parent


def with_settings(project, **values):
    return replace(project, training=replace(project.training, **values))


def losses(project):
    return [r.loss for r in train(project) if isinstance(r, BatchDone) and r.stage == "gradient"]


def test_the_float_twin_is_trained_first_and_counted(folder):
    project = conv_project(folder, teacher="self", teacher_epochs=3)
    records = list(train(project))
    told = [(r.stage, r.epoch, r.epochs) for r in records if isinstance(r, EpochDone)]
    assert told == [("teacher", i, 3) for i in (1, 2, 3)] + [("gradient", i, 2) for i in (1, 2)]
    shares = [r.share for r in records if isinstance(r, BatchDone)]
    assert shares == sorted(shares)
    assert shares[len(shares) * 3 // 5 - 1] == pytest.approx(0.6)
    assert shares[-1] == pytest.approx(1.0)
    lefts = [r.seconds_left for r in records if isinstance(r, BatchDone)]
    assert lefts[len(lefts) * 3 // 5 - 1] > 0
    words = [r.words for r in records if isinstance(r, StageStarted) and r.stage == "teacher"]
    assert "Teacher: Training by gradient" in words
    teacher = [r for r in records if isinstance(r, EpochDone) and r.stage == "teacher"]
    assert teacher[-1].accuracy > 0.85
    assert all(r.program is None for r in teacher)


@pytest.mark.parametrize("suffix", ["run", "model", "project"])
def test_a_file_can_teach(folder, suffix):
    teacher = conv_project(folder, "teacher", filters=6, bits="32")
    run, model = folder / "teacher.run.h5", folder / "teacher.h5"
    list(train(teacher, run))
    export_run(read_run(run), model)
    name = {"run": run.name, "model": model.name, "project": "teacher.polybit"}[suffix]
    student = conv_project(folder, teacher="file", teacher_file=name, attention_weight=100.0)
    path = folder / "student.run.h5"
    records = list(train(student, path))
    trained = [r for r in records if isinstance(r, EpochDone) and r.stage == "teacher"]
    assert len(trained) == (2 if suffix == "project" else 0)
    assert losses(student)[0] > losses(with_settings(student, teacher="none"))[0]
    assert resumed(student, path).finished


def test_what_is_added_is_the_gradient_of_what_it_says(folder):
    """On float graphs the whole loss, teacher's terms included, passes finite differences."""
    project = conv_project(folder, bits="32", attention_weight=50.0, teacher_weight=0.7, temperature=3.0)
    settings = replace(project.training, label_weight=0.4)
    run = Run(project)
    next(step for step in run.steps() if isinstance(step, BatchDone))
    other = Run(conv_project(folder, "other", filters=5, bits="32"))
    next(step for step in other.steps() if isinstance(step, BatchDone))
    graph = with_float_activations(project.graph)
    theirs = with_float_activations(other.project.graph)
    plan, batch = Plan(graph, run.weights, 16), run.splits.train.take(slice(0, 16))
    taught = Teacher.of_weights(other.project.graph, other.weights, settings, floats=True)
    taught.match(graph, "")
    assert len(taught._pairs) == 1  # one size of map: the last of each
    taught.match(graph, "first = second, norm")
    assert taught._pairs == (
        (("first", "out"), ("second", "out")),
        (("norm", "out"), ("norm", "out")),
    )
    assert taught.graph == theirs
    plan.tell(Moment(activations=False, learning=False))

    def term(backward):
        scores = plan.forward(batch)
        losses, grad = cross_entropy(scores, batch.labels)
        more = taught.teach(plan, scores, batch_of(batch), batch)
        if backward:
            plan.backward(np.float32(0.4) * grad + more.grad, more.also)
        return float((0.4 * losses + more.losses).mean(dtype=np.float64))

    taught.match(graph, "second")
    term(backward=True)
    for key in ("second/weight", "second/bias", "head/weight", "head/bias"):  # behind the batch norm
        p = plan.parameters()[key]
        at = np.unravel_index(np.abs(p.grad).argmax(), p.grad.shape)
        wanted, before = float(p.grad[at]), p.value[at]
        p.value[at] = before + 1e-3
        up = term(backward=False)
        p.value[at] = before - 1e-3
        down = term(backward=False)
        p.value[at] = before
        assert (up - down) / 2e-3 == pytest.approx(wanted, rel=0.05, abs=2e-3), key


def batch_of(records):
    return Batch(records.samples, records.labels, np.empty(0, np.float32))


def test_maps_that_do_not_match_are_named(folder):
    project = conv_project(folder, teacher="self", teacher_epochs=1, attention_weight=1.0)
    with pytest.raises(TrainError, match="has no feature map 'nowhere'; there are first, norm, second"):
        list(train(with_settings(project, attention_nodes="nowhere")))
    with pytest.raises(TrainError, match="The teacher has no feature map 'flat'"):
        list(train(with_settings(project, attention_nodes="first = flat")))


def test_flat_networks_have_no_maps_to_compare(binary_project):
    project = with_settings(binary_project, teacher="self", teacher_epochs=1, attention_weight=1.0)
    with pytest.raises(TrainError, match="have no maps of the same height and width"):
        list(train(project))


def test_a_teacher_that_does_not_fit_or_is_not_there_is_refused(folder, binary_project):
    student = conv_project(folder, teacher="file")
    with pytest.raises(TrainError, match="No file of a teacher is chosen"):
        list(train(student))
    with pytest.raises(ModelError, match="There is no such file"):
        list(train(with_settings(student, teacher_file="nowhere.h5")))
    (folder / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelError, match="cannot be read as HDF5"):
        list(train(with_settings(student, teacher_file="broken.h5")))
    np.savez(folder / "other.npz", x=np.zeros((40, 5), np.float32), y=np.arange(40) % 2)
    graph = wired(
        {
            "data": N["data.npz"](path="other.npz"),
            "head": N["bnn.dense"](units=2),
            "out": N["flow.output"](),
        },
        ["data.samples -> head.in", "head.out -> out.scores", "data.labels -> out.labels"],
    )
    other = probed(save_project(Project(graph=graph, training=Training(epochs=1)), folder / "o.polybit"))
    list(train(other, folder / "o.h5"))
    with pytest.raises(TrainError, match=r"The teacher takes records of shape \(5,\) and 2 classes"):
        list(train(with_settings(student, teacher_file="o.h5")))
    with pytest.raises(TrainError, match="The teacher's graph cannot be trained on these records"):
        list(train(with_settings(student, teacher_file="o.polybit")))


def test_a_teacher_that_changed_under_a_run_is_refused(folder):
    teacher = conv_project(folder, "teacher")
    list(train(teacher, folder / "t.h5"))
    student = conv_project(folder, teacher="file", teacher_file="t.h5")
    path = folder / "s.h5"
    steps = train(student, path)
    next(r for r in steps if isinstance(r, EpochDone))
    steps.close()
    list(train(with_settings(teacher, seed=5), folder / "t.h5"))
    with pytest.raises(TrainError, match="The teacher has changed since this run began"):
        list(train(student, path, resume=resumed(student, path)))


def test_the_teacher_stays_as_it_is(folder):
    project = conv_project(folder, teacher="self", teacher_epochs=1, epochs=2)
    run, before = Run(project), {}
    for record in run.steps():
        if isinstance(record, StageStarted) and record.stage == "gradient":
            before = {n: {k: a.copy() for k, a in w.items()} for n, w in run._lesson.found.weights.items()}
    assert before["norm"]["mean"].any()
    for name, arrays in before.items():
        for key, array in arrays.items():
            assert array.tobytes() == run._lesson.found.weights[name][key].tobytes()
    assert isinstance(run._descent, Descent)
