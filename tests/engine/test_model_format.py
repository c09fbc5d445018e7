"""resources/help/model-format.md: a reader in plain NumPy that follows the page gives the same bits."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.files.model import load_model, write_model
from engine.files.project import open_project
from engine.train.loop import train

DIGITS = Path(__file__).parents[2] / "projects" / "digits"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    project = open_project(DIGITS / "digits-binary.polybit")
    project = replace(project, training=replace(project.training, epochs=1))
    end = list(train(project))[-1]
    path = tmp_path_factory.mktemp("model") / "model.h5"
    write_model(path, end.program, project)
    return path


def signs(words, count):
    bits = (words[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return np.where(bits.reshape(*words.shape[:-1], -1)[..., :count] == 1, 1, -1)


def dense(node, x):
    weight = signs(node["weight"][()], x.shape[1])
    if x.dtype == np.float32:
        total = np.zeros((len(x), len(weight)), np.float32)
        for i in range(x.shape[1]):
            total = total + x[:, i : i + 1] * weight[:, i].astype(np.float32)
    else:
        total = (x @ weight.T).astype(np.float32)
    return total * node["scale"][()] + node["bias"][()]


def test_plain_numpy_gives_the_same_scores_to_the_bit(model):
    samples = np.load(DIGITS / "digits.npz")["x"][:300].astype(np.float32)
    samples[17] = 0
    with h5py.File(model) as file:
        weights = file["weights"]
        x = samples.reshape(len(samples), -1)
        largest = np.abs(x).max(1, keepdims=True)
        x = np.divide(x, largest, out=np.zeros_like(x), where=largest > 0)
        x = dense(weights["Binary layer"], x)
        x = x * weights["Batch norm/scale"][()] + weights["Batch norm/shift"][()]
        scores = dense(weights["Class scores"], np.where(x >= 0, 1, -1))
        labels = json.loads(file["labels"][()].tobytes())
    program = load_model(model)
    answer = program.answer(program.records(samples))
    assert scores.dtype == np.float32
    assert scores.tobytes() == answer.scores.tobytes()
    assert (scores.argmax(1) == answer.labels).all()
    assert tuple(labels) == answer.classes


def test_the_seal_and_the_hash_are_as_the_page_says(model):
    sha = hashlib.sha256()

    def take(group):
        for name in sorted(group):
            if isinstance(group[name], h5py.Group):
                take(group[name])
                continue
            array = group[name][()]
            path = f"{group.name.strip('/')}/{name}"
            sha.update(f"{path} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())

    with h5py.File(model) as file:
        take(file)
        assert file.attrs["seal"].decode() == sha.hexdigest()
        plan = file["plan"][()].tobytes()
        assert file.attrs["project_hash"].decode() == hashlib.sha256(plan).hexdigest()
