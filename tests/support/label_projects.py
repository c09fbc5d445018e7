"""A small project of several labels a record, on made data that keeps its rules."""

from pathlib import Path

import numpy as np
from tests_wiring import wired

from engine.catalog import NODES
from engine.files.project import Project, probed, save_project
from engine.settings import Training

LABELS = ("infection", "antibiotics", "rest", "surgery", "fever")
RULES = """
rule treat: if infection then antibiotics
  because "an infection is treated"
rule apart: not (rest and surgery)
rule young: if age < 30 then not surgery
rule some weight 0.01: rest or surgery or fever
""".strip()
HARD = 3  # of the rules, the first


def make_table(path: Path, records: int = 400) -> Path:
    """Write records of five noisy measurements and an age, with five labels that keep every hard rule."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((records, 5))
    age = rng.integers(1, 90, records)
    holds = x > 0.2
    infection, antibiotics, rest, surgery, fever = holds.T
    antibiotics |= infection
    surgery &= (age >= 30) & ~rest
    noisy = x + 0.6 * rng.standard_normal(x.shape)
    lines = ["m1,m2,infection,m3,antibiotics,rest,age,surgery,m4,fever,m5"]
    words = np.where(np.arange(records)[:, None] % 2, ("no", "yes"), ("0", "1"))
    for i in range(records):
        said = [words[i][int(v)] for v in (infection[i], antibiotics[i], rest[i], surgery[i], fever[i])]
        m = [f"{v:.3f}" for v in noisy[i]]
        row = [m[0], m[1], said[0], m[2], said[1], said[2], str(age[i]), said[3], m[3], said[4], m[4]]
        lines.append(",".join(row))
    path.write_text("\n".join(lines) + "\n")
    return path


def labelled(folder: Path, *, epochs: int = 4, rules: str = RULES, **settings: object) -> Project:
    """Return a saved project of a binary layer, whose scores of five labels a guard repairs."""
    n = NODES
    make_table(folder / "ward.csv")
    graph = wired(
        {
            "data": n["data.csv"](path="ward.csv", label=", ".join(LABELS)),
            "split": n["flow.split"](),
            "scale": n["flow.standardise"](),
            "hidden": n["bnn.dense"](units=64, activation_bits="32"),
            "norm": n["bnn.batch_norm"](),
            "sign": n["bnn.sign"](),
            "head": n["bnn.dense"](units=len(LABELS)),
            "rules": n["logic.rules"](rules=rules, decides="labels"),
            "out": n["flow.output"](),
        },
        [
            "data.samples -> split.samples",
            "data.labels -> split.labels",
            "data.facts -> split.facts",
            "split.samples -> scale.in",
            "scale.out -> hidden.in",
            "hidden.out -> norm.in",
            "norm.out -> sign.in",
            "sign.out -> head.in",
            "head.out -> rules.scores",
            "split.facts -> rules.facts",
            "split.labels -> rules.labels",
            "rules.scores -> out.scores",
            "split.labels -> out.labels",
        ],
    )
    training = Training(epochs=epochs, batch=32, rate=0.01, **{"loss": "binary_cross_entropy", **settings})  # type: ignore[arg-type]
    path = folder / "labels.polybit"
    return probed(save_project(Project(graph=graph, training=training, name="Labels"), path))
