"""train/quantizing.py: a trained network of floats at narrower widths, without gradients, and trained on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.catalog import NODES
from engine.cli.main import main
from engine.data.dataset import open_data
from engine.errors import TrainError
from engine.files.project import open_project, save_project
from engine.files.run import read_run
from engine.files.store import packed
from engine.graph import Graph
from engine.ports import Spec
from engine.precision import PRECISIONS
from engine.runtime.program import Program
from engine.train.equalize import equalize
from engine.train.loop import train
from engine.train.quantizing import Wanted, arriving, compensated, met, quantize_run

LAYERS = [
    ("Conv 1", "bnn.conv2d", {"filters": 8, "weight_bits": "32", "bias": False}),
    ("Norm", "bnn.batch_norm", {}),
    ("ReLU 1", "bnn.activation", {"function": "relu"}),
    ("Conv 2", "bnn.conv2d", {"filters": 12, "weight_bits": "32"}),
    ("ReLU 2", "bnn.activation", {"function": "relu"}),
    ("Pool", "bnn.max_pool", {}),
    ("Flatten", "flow.flatten", {}),
    ("Dense", "bnn.dense", {"units": 10, "weight_bits": "32"}),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project of two convolutions and a dense layer on the digits, trained as floats, and its run file."""
    folder = tmp_path_factory.mktemp("floats")
    source = open_project(Path(__file__).parents[2] / "projects" / "digits" / "digits-binary.polybit")
    values = source.graph.node("Digits").values()
    graph = Graph().add(
        "Digits", NODES["data.npz"].of({**values, "path": str(source.folder / values["path"])})
    )
    graph = graph.add("Split", NODES["flow.split"].of(source.graph.node("Split").values()))
    graph = graph.wire("Digits", "samples", "Split", "samples").wire("Digits", "labels", "Split", "labels")
    graph = graph.add("Standardise", NODES["flow.standardise"].of({"method": "record"}))
    graph = graph.wire("Split", "samples", "Standardise", "in")
    end = "Standardise"
    for name, kind, fields in LAYERS:
        graph = graph.add(name, NODES[kind].of(fields)).wire(end, "out", name, "in")
        end = name
    graph = graph.add("Answer", NODES["flow.output"]()).wire(end, "out", "Answer", "scores")
    graph = graph.wire("Split", "labels", "Answer", "labels")
    training = replace(source.training, epochs=6, rate=0.01)
    save_project(replace(source, graph=graph, training=training), folder / "floats.polybit")
    project = open_project(folder / "floats.polybit")
    list(train(project, folder / "floats.h5"))
    return folder, project, read_run(folder / "floats.h5"), open_data(project.graph, project.folder)


def accuracy(run, records):
    return float((run.program().answer(records).labels == records.labels).mean())


def copied(run):
    return {n: {k: a.copy() for k, a in arrays.items()} for n, arrays in run.weights.items()}


@pytest.mark.parametrize(("width", "lost"), [("8", 0.005), ("4", 0.02), ("3", 0.06)])
def test_a_trained_network_keeps_most_of_its_accuracy(trained, width, lost):
    _, _, run, splits = trained
    made, done = quantize_run(run, splits.train, Wanted(weights=width))
    assert accuracy(run, splits.test) > 0.94
    assert accuracy(made, splits.test) > accuracy(run, splits.test) - lost
    for name in ("Conv 1", "Conv 2", "Dense"):
        assert made.project.graph.node(name).weight_bits == width
        assert f"{PRECISIONS[width].title} weights" in done[name]
    assert made.project.graph.node("Conv 2").activation_quantizer == "lsq_unsigned"
    assert done["Norm"] == ["statistics anew"]


def test_scales_that_are_evened_out_change_no_answer(trained):
    _, _, run, splits = trained
    weights, graph = copied(run), run.project.graph
    pairs = equalize(graph, weights)
    assert pairs == [("Norm", "Conv 2"), ("Conv 2", "Dense")]
    before, after = (
        Program(graph, packed(graph, w)).answer(splits.test).scores for w in (run.weights, weights)
    )
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-3)
    made = np.abs(weights["Conv 2"]["weight"]).max(axis=1)
    taken = np.abs(weights["Dense"]["weight"].reshape(10, -1, 12)).max(axis=(0, 1))
    np.testing.assert_allclose(made, taken, rtol=1e-3)


def test_layers_whose_rows_lie_otherwise_are_let_be():
    graph, spec = Graph(), Spec("real", (6, 6, 9))
    graph = graph.add("Conv", NODES["bnn.conv2d"].of({"filters": 3, "weight_bits": "32"}))
    graph = graph.add("ReLU", NODES["bnn.activation"].of({"function": "relu"}))
    graph = graph.add("Depth", NODES["bnn.depthwise_conv"].of({"weight_bits": "32"}))  # 9 taps, 3 channels
    graph = graph.wire("Conv", "out", "ReLU", "in").wire("ReLU", "out", "Depth", "in")
    inside = {"Conv": spec, "ReLU": Spec("real", (6, 6, 3)), "Depth": Spec("real", (6, 6, 3))}
    weights = {n: graph.node(n).start(np.random.default_rng(0), inside[n]) for n in graph.order}
    assert equalize(graph, weights) == []


def brute_force(w, steps, hessian, row):
    """Round column after column; the rest is what then costs least, found anew from the whole each time."""
    out = w.astype(np.float64)
    for o in range(len(w)):
        target, left = w[o].astype(np.float64), w[o].astype(np.float64)
        for i in range(w.shape[1]):
            left[i] = np.clip(np.rint(left[i] / steps[o]), row.low, row.high) * steps[o]
            fixed, free = slice(0, i + 1), slice(i + 1, None)
            pull = hessian[free, fixed] @ (left[fixed] - target[fixed])
            left[free] = target[free] - np.linalg.solve(hessian[free, free], pull)
        out[o] = left
    return out


@pytest.mark.parametrize("width", ["2", "4"])
def test_rounding_makes_up_for_itself_as_well_as_can_be(width):
    rng, row = np.random.default_rng(0), PRECISIONS[width]
    x = (rng.standard_normal((200, 5)) @ rng.standard_normal((5, 12))).astype(np.float32)
    x[:, 3] = 0  # an input that is never seen
    w = rng.standard_normal((4, 12)).astype(np.float32)
    steps = np.full(4, 0.8 if width == "2" else 0.25, np.float32)
    found = compensated(w, steps, x, row)
    hessian = x.astype(np.float64).T @ x
    hessian[3, 3] = 1
    hessian += 0.01 * np.diag(hessian).mean() * np.eye(12)
    np.testing.assert_allclose(found, brute_force(w, steps, hessian, row), atol=1e-4)
    plain = np.clip(np.rint(w / steps[:, None]), row.low, row.high) * steps[:, None]
    assert ((x @ (found - w).T) ** 2).sum() < 0.7 * ((x @ (plain - w).T) ** 2).sum()


def test_a_convolution_is_met_by_its_patches(trained):
    _, _, run, splits = trained
    program = run.program()
    x = arriving(program, "Conv 2", splits.test)
    rows = met(run.project.graph.node("Conv 2"), run.project.graph.input_specs("Conv 2")[0], x)
    arrays = run.weights["Conv 2"]
    out = next(program.runs(splits.test))["Conv 2", "out"]
    expected = (rows @ arrays["weight"].T + arrays["bias"])[: out[..., 0].size]
    np.testing.assert_allclose(out.reshape(-1, 12), expected, rtol=1e-3, atol=1e-3)


def test_corrections_bring_back_means_and_statistics(trained):
    _, _, run, splits = trained
    wanted = Wanted(weights="2", activations="", steps=("bias", "norms"))
    made, done = quantize_run(run, splits.train, wanted)
    assert "bias corrected" in done["Dense"]
    assert "Conv 1" in done
    program = made.program()
    means = [
        np.concatenate([v["Dense", "out"] for v in p.runs(splits.train)]).mean(axis=0)
        for p in (run.program(), program)
    ]
    np.testing.assert_allclose(means[1], means[0], atol=1e-3)
    x = arriving(program, "Norm", splits.train).reshape(-1, 8)
    np.testing.assert_allclose(made.weights["Norm"]["mean"], x.mean(axis=0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(made.weights["Norm"]["variance"], x.var(axis=0), rtol=1e-3)
    plain, _ = quantize_run(run, splits.train, replace(wanted, steps=()))
    assert accuracy(made, splits.validation) >= accuracy(plain, splits.validation)
    assert run.project.graph.node("Dense").weight_bits == "32"  # what was given stays as it was


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(layers=("Norm",)), "'Norm' is no layer of float weights; there are Conv 1, Conv 2, Dense."),
        (Wanted(weights="1"), "The width must be one of 2, 3, 4, 8"),
        (Wanted(steps=("luck",)), "There is no step 'luck'"),
    ],
)
def test_what_cannot_be_is_said(trained, wanted, words):
    _, _, run, splits = trained
    with pytest.raises(TrainError, match=words):
        quantize_run(run, splits.train, wanted)


def test_the_command_line_quantizes_and_training_goes_on(trained, capsys):
    folder, project, _, _ = trained
    files = [str(folder / name) for name in ("floats.polybit", "floats.h5", "narrow.h5", "narrow.polybit")]
    verb = [
        "quantize",
        *files[:2],
        "--out",
        files[2],
        "--weights",
        "2",
        "--layer",
        "Conv 2",
        "--layer",
        "Dense",
    ]
    assert main([*verb, "--activations", "4", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["nodes"]) == {"Conv 2", "Dense"}
    assert said["before"] > 0.9
    narrow = open_project(files[3])
    assert narrow.graph.node("Conv 1").weight_bits == "32"
    assert main(["train", files[3], "--out", files[2], "--resume", "--json"]) == 0
    again = read_run(files[2])
    assert again.finished
    assert again.epoch == project.training.epochs
    assert again.history["final"]["validation_accuracy"] > max(0.9, said["after"] - 0.01)
    capsys.readouterr()
    assert main(["quantize", *files[:2], "--out", files[1]]) == 1
    assert "would be written over" in capsys.readouterr().err
    assert main(["quantize", files[3], files[1], "--out", str(folder / "other.h5")]) == 1
    assert "another graph" in capsys.readouterr().err
