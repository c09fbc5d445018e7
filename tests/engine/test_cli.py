"""The command line as a user types it: figures, exit status, one sentence for an error."""

import csv
import gzip
import json
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import h5py
import numpy as np
import pytest

from engine.cli import stopping
from engine.cli.main import main
from engine.data.dataset import override
from engine.files.model import load_model
from engine.files.project import open_project, save_project
from engine.files.run import read_run, write_run


@pytest.fixture
def run_file(binary_project, tmp_path, capsys):
    out = tmp_path / "run.h5"
    assert main(["train", str(binary_project.path), "--out", str(out), "--epochs", "3"]) == 0
    assert "gradient 3/3" in capsys.readouterr().out
    return out


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_train_export_predict_and_evaluate_agree(run_file, data_file, tmp_path, capsys):
    model, table = tmp_path / "model.h5", tmp_path / "out.csv"
    assert main(["export", str(run_file), "--out", str(model)]) == 0
    assert main(["predict", str(model), "--data", str(data_file), "--out", str(table)]) == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    labels = np.load(data_file)["y"]
    share = np.mean([row["label"] == str(y) for row, y in zip(rows, labels, strict=True)])
    capsys.readouterr()
    assert main(["evaluate", str(model), "--data", str(data_file), "--json"]) == 0
    figures = printed(capsys)
    assert figures["accuracy"] == pytest.approx(share)
    assert figures["records"] == 300
    assert figures["violations"] == figures["violations_raw"] == 0
    assert sum(c["records"] for c in figures["classes"].values()) == 300


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_predictions_are_written_by_suffix(run_file, data_file, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert main(["predict", str(run_file), "--data", str(data_file), "--out", str(out)]) == 0
    if suffix == ".npz":
        found = np.load(out)["label"]
    else:
        import h5py

        with h5py.File(out) as file:
            found = file["label"][()]
    assert found.shape == (300,)


def test_check_and_estimate_print_figures(binary_project, capsys):
    assert main(["check", str(binary_project.path), "--json"]) == 0
    assert printed(capsys)["problems"] == []
    assert main(["estimate", str(binary_project.path), "--json"]) == 0
    figures = printed(capsys)
    assert figures["by_node"]["hidden"]["operations"] == 36 * 48
    assert figures["total"]["weight_bytes"] == sum(n["weight_bits"] for n in figures["by_node"].values()) // 8
    assert main(["estimate", str(binary_project.path)]) == 0
    assert "hidden" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("rule a: class = unacc\nrule b: class = acc", "a and b cannot all be kept"),
        (
            'rule a: if safety = low then class = unacc\nrule b: if persons = "2" then class = acc',
            "When safety = low and persons = 2, no answer keeps all rules",
        ),
    ],
)
def test_check_tells_rules_that_leave_no_answer(projects, tmp_path, capsys, rules, words):
    project = json.loads((projects / "car" / "car.polybit").read_text(encoding="utf-8"))
    project["nodes"]["Constraint guard"]["set"]["rules"] = rules.split("\n")
    path = tmp_path / "car.polybit"
    path.write_text(json.dumps(project))
    shutil.copy(projects / "car" / "car.csv", tmp_path)
    assert main(["check", str(path), "--json"]) == 0
    (problem,) = printed(capsys)["problems"]
    assert (problem["node"], problem["parameter"], problem["level"]) == (
        "Constraint guard",
        "rules",
        "warning",
    )
    assert words in problem["what"]


def test_catalogue_lists_nodes_and_options(capsys):
    assert main(["catalogue", "--json"]) == 0
    kinds = {e["kind"] for e in printed(capsys)}
    assert {"bnn.dense", "bnn.estimator:clipped", "logic.rules", "data.idx"} <= kinds
    assert main(["catalogue", "--family", "bnn", "--json"]) == 0
    assert {e["kind"].partition(".")[0] for e in printed(capsys)} == {"bnn"}
    assert main(["catalogue", "--family", "nothing"]) == 1


def test_resume_goes_on_and_refuses_another_graph(binary_project, run_file, capsys):
    arguments = ["train", str(binary_project.path), "--out", str(run_file), "--resume"]
    assert main([*arguments, "--epochs", "4"]) == 0
    out = capsys.readouterr().out
    assert "gradient 4/4" in out
    assert "gradient 3/4" not in out
    text = binary_project.path.read_text().replace('"units": 48', '"units": 40')
    binary_project.path.write_text(text)
    assert main(arguments) == 1
    assert "was trained from another graph" in capsys.readouterr().err


def test_another_data_file_can_be_trained_on(binary_project, data_file, tmp_path, capsys):
    arrays = dict(np.load(data_file))
    np.savez(tmp_path / "half.npz", x=arrays["x"][:150], y=arrays["y"][:150])
    out = ["--out", str(tmp_path / "r.h5"), "--epochs", "1", "--json"]
    assert main(["train", str(binary_project.path), "--data", str(tmp_path / "half.npz"), *out]) == 0
    assert 0 <= printed(capsys)["accuracy"] <= 1
    assert main(["train", str(binary_project.path), "--data", str(tmp_path / "none.npz"), *out]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "nowhere.polybit"],
        ["export", "nowhere.h5", "--out", "m.h5"],
        ["predict", "nowhere.h5", "--data", "d.npz", "--out", "o.csv"],
        ["evaluate", "nowhere.h5", "--data", "d.npz"],
    ],
)
def test_a_missing_file_is_one_sentence_and_status_one(arguments, capsys):
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert err.startswith("polybit: nowhere")
    assert err.count("\n") == 1


def test_a_wrong_suffix_names_the_right_ones(run_file, data_file, tmp_path, capsys):
    assert main(["export", str(run_file), "--out", str(tmp_path / "m.xyz")]) == 1
    assert ".h5" in capsys.readouterr().err
    assert main(["predict", str(run_file), "--data", str(data_file), "--out", str(tmp_path / "m.xyz")]) == 1
    assert ".csv, .npz, .h5" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["fly"], ["train"], ["predict", "m.h5"]])
def test_wrong_usage_is_status_two(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def refused(capsys, *arguments):
    """Return the one sentence that a refused command says."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_nothing_is_written_over_what_is_read(run_file, binary_project, data_file, capsys):
    files = {path: path.read_bytes() for path in (run_file, data_file, binary_project.path)}
    run_too = run_file.parent / "." / run_file.name
    assert "would be lost" in refused(capsys, "export", run_file, "--out", run_too)
    assert "would be lost" in refused(capsys, "predict", run_file, "--data", data_file, "--out", data_file)
    assert "would be lost" in refused(capsys, "predict", run_file, "--data", data_file, "--out", run_file)
    for path in (data_file, binary_project.path):
        assert "ends in .h5" in refused(capsys, "train", binary_project.path, "--out", path)
    assert files == {path: path.read_bytes() for path in files}


def test_a_run_is_not_written_over_its_own_data(binary_project, data_file, tmp_path, capsys):
    table = tmp_path / "data.h5"
    with h5py.File(table, "w") as file:
        for name, array in np.load(data_file).items():
            file[name] = array
    before = table.read_bytes()
    arguments = ("train", binary_project.path, "--data", table, "--out", table)
    assert "would be lost" in refused(capsys, *arguments)
    assert table.read_bytes() == before


@pytest.mark.parametrize("out", ["no/run.h5", "folder.h5", "x" * 300 + ".h5"])
def test_a_run_that_cannot_be_written_is_refused_before_training(binary_project, tmp_path, capsys, out):
    (tmp_path / "folder.h5").mkdir()
    said = refused(capsys, "train", binary_project.path, "--out", tmp_path / out)
    assert "Cannot write" in said or "too long" in said


def test_an_empty_data_path_is_not_taken_for_none(binary_project, tmp_path, capsys):
    assert "No data source reads" in refused(
        capsys, "train", binary_project.path, "--out", tmp_path / "r.h5", "--data", ""
    )
    assert not (tmp_path / "r.h5").exists()


@pytest.mark.parametrize("count", ["0", "-5", str(10**30)])
def test_a_senseless_count_of_threads_is_wrong_usage(binary_project, tmp_path, count, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", str(binary_project.path), "--out", str(tmp_path / "r.h5"), "--threads", count])
    assert caught.value.code == 2
    assert "must be 1 to 256" in capsys.readouterr().err


@pytest.mark.parametrize("epochs", [0, -1, 10**12, 10**400])
def test_a_senseless_count_of_epochs_is_one_sentence(binary_project, tmp_path, epochs, capsys):
    said = refused(capsys, "train", binary_project.path, "--out", tmp_path / "r.h5", "--epochs", epochs)
    assert "Epochs must be 1 to 100000" in said
    assert len(said) < 300


def test_scores_that_are_no_numbers_are_not_written_as_answers(run_file, data_file, tmp_path, capsys):
    arrays = dict(np.load(data_file))
    far = arrays["x"].copy()
    far[7] = 3e38
    np.savez(tmp_path / "far.npz", x=far, y=arrays["y"])
    checkpoint = read_run(run_file)
    checkpoint.weights["head"]["bias"][:] = 3.4e38
    checkpoint.weights["head"]["weight"][:] = 3e38
    write_run(run_file, checkpoint)
    out = tmp_path / "o.csv"
    said = refused(capsys, "predict", run_file, "--data", tmp_path / "far.npz", "--out", out)
    assert "record 1: Its scores are not finite numbers" in said
    assert not out.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_training_in_one_word_and_leaves_no_part(binary_project, tmp_path, sign):
    out = tmp_path / "runs" / "r.h5"
    out.parent.mkdir()
    command = [sys.executable, "-m", "engine", "train", str(binary_project.path), "--out", str(out)]
    with subprocess.Popen(
        [*command, "--epochs", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("gradient 1/")
        process.send_signal(sign)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "polybit: Stopped."
    assert "Traceback" not in err
    assert [path.name for path in out.parent.iterdir()] == ["r.h5"]
    assert read_run(out).epoch >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_is_one_sentence_and_leaves_the_last_run(run_file, binary_project):
    before = run_file.read_bytes()
    words = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2},) * 2); "
        "from engine.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", words, "train", str(binary_project.path), "--out", str(run_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Cannot write run.h5: File too large." in done.stderr
    assert "Traceback" not in done.stderr
    assert run_file.read_bytes() == before
    assert not list(run_file.parent.glob(".run.h5.*"))


def test_images_in_the_files_of_mnist_are_trained_on_and_predicted(binary_project, data_file, tmp_path):
    arrays = dict(np.load(data_file))
    images = np.clip(128 * arrays["x"] + 64, 0, 255).astype(np.uint8)
    for name, array in (("train-images-idx3-ubyte.gz", images), ("train-labels-idx1-ubyte.gz", arrays["y"])):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (tmp_path / name).write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))
    graph = override(binary_project.graph, tmp_path / "train-images-idx3-ubyte.gz")
    path = tmp_path / "images.polybit"
    save_project(replace(binary_project, graph=graph), path)
    run, model, out = (str(tmp_path / name) for name in ("images-run.h5", "images.h5", "images.npz"))
    assert main(["train", str(path), "--out", run, "--epochs", "3"]) == 0
    assert main(["export", run, "--out", model]) == 0
    data = str(tmp_path / "train-images-idx3-ubyte.gz")
    assert main(["predict", model, "--data", data, "--out", out]) == 0
    assert (np.load(out)["label"] == arrays["y"]).mean() > 0.9
    program = load_model(model)
    answer = program.answer(program.records(images.astype(np.float32)))
    assert np.load(out)["scores"].tobytes() == answer.scores.tobytes()


def test_a_signal_that_a_library_swallowed_still_ends_the_work():
    with stopping.ended_by_signal():
        stopping.heed()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stopping.heed()
    with stopping.ended_by_signal():
        stopping.heed()


def test_the_plan_of_a_project_and_of_its_model_names_kernels(binary_project, tmp_path, capsys):
    project = str(binary_project.folder / "small.polybit")
    assert main(["plan", project, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    kernels = [step["kernel"] for step in shown["steps"]]
    # Which kernel of packed signs serves is measured on this host.
    assert any(kernel.startswith(("signs:", "count")) for kernel in kernels)
    assert shown["chunk"] > 0
    run, model = str(tmp_path / "r.h5"), str(tmp_path / "m.h5")
    assert main(["train", project, "--out", run, "--epochs", "1"]) == 0
    assert main(["export", run, "--out", model]) == 0
    capsys.readouterr()
    assert main(["plan", model, "--samples", "uint8"]) == 0
    text = capsys.readouterr().out
    assert "differing places counted" in text
    assert "given as uint8" in text


def test_training_never_writes_over_its_teacher(binary_project, tmp_path, capsys):
    teacher = binary_project.path.parent / "teacher.h5"
    assert main(["train", str(binary_project.path), "--out", str(teacher), "--epochs", "1"]) == 0
    settings = replace(binary_project.training, teacher="file", teacher_file="teacher.h5")
    save_project(replace(binary_project, training=settings), binary_project.path)
    capsys.readouterr()
    assert main(["train", str(binary_project.path), "--out", str(teacher)]) == 1
    assert "--out is teacher.h5, which is read here and would be lost" in capsys.readouterr().err
    assert main(["train", str(binary_project.path), "--out", str(tmp_path / "student.h5")]) == 0


def test_a_wider_project_is_written_beside_the_old_one(binary_project, capsys):
    out = binary_project.folder / "wide.polybit"
    arguments = ["widen", str(binary_project.path), "--factor", "1.5", "--out", str(out), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"project": str(out), "layers": ["hidden"]}
    wide = open_project(out)
    assert wide.graph.node("hidden").units == 72
    assert wide.graph.node("head").units == 3
    assert not wide.graph.problems()
    arguments[-2] = str(binary_project.path)
    assert main(arguments) == 1
    assert "written over" in capsys.readouterr().err
