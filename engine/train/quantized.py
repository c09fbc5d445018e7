"""A trained run quantized without gradients, and what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..data.dataset import open_data
from ..errors import TrainError
from ..files.project import SUFFIX, Project, save_project
from ..files.run import Checkpoint, write_run
from ..records import Records
from ..runtime.program import Program
from .quantizing import Wanted, quantize_run

RECORDS = 1000  # training records that are looked at, where nothing else is asked for


@dataclass(frozen=True)
class Quantized:
    """What came of it.

    Attributes:
        run: ready to be exported, or to be trained on at its widths.
        before, after: share of the validation records answered rightly as floats and now, 0 to 1; of the
            training records where there are no others.
        done: what was done to each node, in words.
    """

    run: Checkpoint
    before: float
    after: float
    done: dict[str, list[str]]


def quantize_project(
    project: Project,
    run: Checkpoint,
    wanted: Wanted,
    records: int = RECORDS,
    told: Callable[[float, str], None] = lambda _share, _words: None,
) -> Quantized:
    """Quantize the run of a project and say what it costs.

    Args:
        project: whose data is looked at; its graph is that of the run.
        run: a trained run with layers of float weights.
        wanted: widths, layers and steps.
        records: how many training records are looked at.
        told: is called with the share done, 0 to 1, and what happens now; what it raises ends the work.

    Raises:
        TrainError: the run is of another graph, or there is nothing to quantize.
    """
    if run.project.graph != project.graph:
        do = "Restore the graph it was trained with, or train anew."
        raise TrainError("The run was trained from another graph than the project has.", do=do)
    told(0.0, "Reading data")
    splits = open_data(project.graph, project.folder)
    made, done = quantize_run(run, splits.train.take(slice(0, records)), wanted, told)
    judge = splits.validation if len(splits.validation) else splits.train
    told(1.0, "Scoring before and after")
    before, after = (_right(one.program(), judge) for one in (run, made))
    return Quantized(made, before, after, done)


def write_quantized(found: Quantized, project: Project, out: Path, beside: Path | None = None) -> Path:
    """Write the run to `out` and its project; return the path of the project.

    Args:
        found: what came of it.
        project: the one it came from; the new one has the same data paths and belongs into the same folder.
        out: the run file.
        beside: the file of the project; by default `out` with a project's suffix.
    """
    path = beside or out.with_suffix(SUFFIX)
    save_project(replace(project, graph=found.run.project.graph), path)
    write_run(out, found.run)
    return path


def _right(program: Program, records: Records) -> float:
    return float((program.answer(records).labels == records.labels).mean())
