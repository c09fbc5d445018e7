"""Our side of inference: the exported model's `predict`, as a program that uses the engine calls it.

Records are MNIST's, as bytes. How long some kernels take depends on them: inputs that are off, and groups of
bytes that are 0, are passed over (kernels/picked.py, kernels/byte_shuffle.py).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ...data.dataset import read_all
from ...files.model import load_model, write_model
from ...files.store import packed, started
from ...runtime.program import Program
from .. import networks
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of predicting a batch of `job["batch"]` MNIST records, from an exported model."""
    layers = getattr(networks, job["network"])(**job.get("options", {}))
    project = networks.project(layers, Path(job["folder"]))
    weights = started(project.graph)
    rng = np.random.default_rng(1)
    for (
        arrays
    ) in weights.values():  # a trained network's batch norm folds to other numbers than a fresh one's
        if "variance" in arrays:
            arrays["mean"] += rng.normal(0, 1, arrays["mean"].shape).astype(np.float32)
            arrays["gamma"] *= rng.choice([-1, 1], arrays["gamma"].shape).astype(np.float32)
    if "Scale" in weights and "mean" in weights["Scale"]:
        weights["Scale"]["mean"][:] = 0 if len(weights["Scale"]["mean"]) == 1 else 127.5
        weights["Scale"]["scale"][:] = 1 / 255
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        write_model(path, Program(project.graph, packed(project.graph, weights)), project)
        model = load_model(path)
    records = read_all(project.graph, project.folder).samples[: job["batch"]].copy()
    return lambda: model.predict(records)


if __name__ == "__main__":
    serve(make)
