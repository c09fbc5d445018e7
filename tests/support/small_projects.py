"""A small project of three paradigms on small made data, for the tests of panels, worker and look."""

from pathlib import Path

import numpy as np
from tests_wiring import wired

from engine.catalog import NODES
from engine.files.project import Project, probed, save_project
from engine.settings import Training

RULE = 'rule never_zero:\n  if tag >= 0 then class != 0\n  because "tests want a violation"'


def make_data(folder: Path, records: int = 240) -> Path:
    """Write records of 3 classes, 6 x 6, that patterns separate, with a fact `tag` from 0 to 1."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, records)
    patterns = rng.choice([0.0, 1.0], (3, 6, 6))
    x = (patterns[y] + 0.2 * rng.standard_normal((records, 6, 6))).astype(np.float32)
    np.savez(folder / "data.npz", x=x, y=y, tag=rng.random(records))
    return folder / "data.npz"


def hybrid(folder: Path, *, epochs: int = 3, rule: str = RULE, units: int = 40) -> Project:
    """Return a saved project: 1-bit and ternary layers, spikes, and a rule that every answer 0 breaks."""
    n = NODES
    make_data(folder)
    graph = wired(
        {
            "data": n["data.npz"](path="data.npz"),
            "split": n["flow.split"](),
            "flat": n["flow.flatten"](),
            "hidden": n["bnn.dense"](units=units),
            "encoder": n["snn.latency"](steps=8),
            "lif": n["snn.lif"](units=16),
            "count": n["snn.readout"](),
            "spiking": n["bnn.dense"](units=3, weight_bits="32"),
            "head": n["bnn.dense"](units=3, weight_bits="ternary"),
            "sum": n["flow.add"](),
            "rules": n["logic.rules"](rules=rule),
            "out": n["flow.output"](),
        },
        [
            "data.samples -> split.samples",
            "data.labels -> split.labels",
            "data.facts -> split.facts",
            "split.samples -> flat.in",
            "flat.out -> hidden.in",
            "hidden.out -> head.in",
            "flat.out -> encoder.in",
            "encoder.out -> lif.in",
            "lif.out -> count.in",
            "count.out -> spiking.in",
            "head.out -> sum.a",
            "spiking.out -> sum.b",
            "sum.out -> rules.scores",
            "split.facts -> rules.facts",
            "split.labels -> rules.labels",
            "rules.scores -> out.scores",
            "split.labels -> out.labels",
        ],
    )
    settings = Training(epochs=epochs, batch=32, rate=0.01)
    return probed(
        save_project(Project(graph=graph, training=settings, name="Small"), folder / "small.polybit")
    )
