"""What rules add to a network: the tabular examples with and without theirs, seed by seed.

A guard stands behind the trained network and training does not look at it, so the answers before repair are
those of the same network without rules. A second training of the same seed learns with the rules too, by the
semantic loss (Xu et al. 2018, arXiv:1711.11157). Every figure is about the example's own test part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..files.project import SUFFIX, Project, open_project
from ..train.loop import Run
from ..train.progress import Finished
from .differences import difference_row
from .pairs import Row, Wanted, host

EXAMPLES = Path(__file__).parents[2] / "projects"
TABLES = ("car", "thyroid")
RULE_WEIGHT = 1.0
_SEEDS = 5
_ALONE = "the same network without rules"


@dataclass(frozen=True)
class Judged:
    """What came of the test records of one training.

    Attributes:
        alone, guarded: percent of them answered right by the network, and once the guard has corrected it.
        broken_alone, broken: answers that break a rule, without and with the guard.
        records: how many there are.
    """

    alone: float
    guarded: float
    broken_alone: int
    broken: int
    records: int


def hybrid_rows(wanted: Wanted) -> list[Row]:
    """Return accuracy and kept rules of every tabular example, with and without its rules."""
    own = replace(wanted, cores=(max(wanted.cores, default=1),))
    rows: list[Row] = []
    for name in TABLES:
        path = EXAMPLES / name / f"{name}{SUFFIX}"
        if path.is_file():
            rows += _rows(open_project(path), own)
        else:
            wanted.note(f"{path} is not there; run from a clone to train it with and without its rules.")
    return rows


def _rows(project: Project, wanted: Wanted) -> Iterator[Row]:
    seeds = range(min(wanted.pairs, _SEEDS))
    plain, taught = (
        [judged(project, seed, weight, wanted) for seed in seeds] for weight in (0.0, RULE_WEIGHT)
    )
    alone, broken = [run.alone for run in plain], [run.broken_alone for run in plain]
    count, title = sum(run.records for run in plain), f"Hybrid, {project.name}"
    for how, runs in (("guard", plain), ("taught rules and guard", taught)):
        name = f"{title}, {how}"
        yield difference_row(name, [run.guarded for run in runs], alone, _ALONE, wanted)
        yield _kept(name, [run.broken for run in runs], broken, count, wanted)
    name = f"{title}, taught rules, no guard"
    yield difference_row(name, [run.alone for run in taught], alone, _ALONE, wanted)
    yield _kept(name, [run.broken_alone for run in taught], broken, count, wanted)


def judged(project: Project, seed: int, rule_weight: float, wanted: Wanted) -> Judged:
    """Train with one seed and weight of rules, and return what came of the test records."""
    training = replace(project.training, seed=seed, rule_weight=rule_weight)
    run = Run(replace(project, training=training), threads=wanted.cores[0])
    done = next(record for record in run.steps() if isinstance(record, Finished))
    found = Judged(
        alone=100 * done.accuracy_raw,
        guarded=100 * done.accuracy,
        broken_alone=done.violations_raw,
        broken=done.violations,
        records=len(run.splits.test) if run.splits else 0,
    )
    right = f"{found.alone:.2f} % right alone and {found.guarded:.2f} % guarded"
    broken = f"{found.broken_alone} and {found.broken} answers of {found.records:,} break a rule"
    wanted.note(f"{project.name}, weight of rules {rule_weight:g}, seed {seed}: {right}; {broken}")
    return found


def _kept(name: str, ours: Sequence[int], alone: Sequence[int], count: int, wanted: Wanted) -> Row:
    """Return how many answers keep every rule; the name ends with how many do not, and did not alone."""
    kept, peer = count - sum(ours), count - sum(alone)
    return Row(
        name=f"{name}, answers that keep the rules: {sum(ours)} broken, alone {sum(alone)}",
        ours=kept,
        peer=peer,
        peer_name=_ALONE,
        unit=f"of {count:,} answers",
        ratio=kept / max(peer, 1),
        pairs=len(ours),
        cores=wanted.cores[0],
        host=host(),
    )
