"""The command line as a user types it: figures, exit status, one sentence for an error."""

import csv
import json

import numpy as np
import pytest

from engine.cli.main import main


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
