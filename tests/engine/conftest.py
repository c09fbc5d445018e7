"""Small data and small graphs for the engine's tests."""

import numpy as np
import pytest
from tests_wiring import wired

from engine.catalog import NODES
from engine.files.project import Project, probed, save_project
from engine.settings import Training


@pytest.fixture
def data_file(tmp_path):
    """300 records of 3 classes, 6 x 6, that sign patterns separate."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    patterns = rng.choice([0.0, 1.0], (3, 6, 6))
    x = patterns[y] + 0.25 * rng.standard_normal((300, 6, 6))
    np.savez(tmp_path / "data.npz", x=x.astype(np.float32), y=y)
    return tmp_path / "data.npz"


@pytest.fixture
def binary_project(data_file):
    """A 1-bit dense path on the small data, saved beside it."""
    n = NODES
    graph = wired(
        {
            "data": n["data.npz"](path="data.npz"),
            "split": n["flow.split"](),
            "scale": n["flow.standardise"](),
            "flat": n["flow.flatten"](),
            "hidden": n["bnn.dense"](units=48),
            "norm": n["bnn.batch_norm"](),
            "sign": n["bnn.sign"](),
            "head": n["bnn.dense"](units=3),
            "out": n["flow.output"](),
        },
        [
            "data.samples -> split.samples",
            "data.labels -> split.labels",
            "split.samples -> scale.in",
            "scale.out -> flat.in",
            "flat.out -> hidden.in",
            "hidden.out -> norm.in",
            "norm.out -> sign.in",
            "sign.out -> head.in",
            "head.out -> out.scores",
            "split.labels -> out.labels",
        ],
    )
    path = data_file.parent / "small.polybit"
    settings = Training(epochs=4, batch=32, rate=0.01)
    return probed(save_project(Project(graph=graph, training=settings, name="Small"), path))
