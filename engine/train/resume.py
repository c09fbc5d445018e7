"""Going on with a run: whether a run file is that of a project, and what it keeps of the run's state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError, TrainError
from ..fields import label
from ..files.project import Project
from ..files.run import Checkpoint, read_run
from .average import Patience

_MOST_NAMED = 4  # settings that a message lists


@dataclass(frozen=True)
class Kept:
    """What a run file says of the state of its run, beside its arrays.

    Attributes:
        settled: whether the gradient stage is over.
        average_steps: steps that the running mean followed.
        patience: the best epoch so far, without its weights.
        teacher: SHA-256 of the file of its teacher, or "".
    """

    settled: bool
    average_steps: int
    patience: Patience
    teacher: str


def resumed(project: Project, path: Path) -> Checkpoint:
    """Return the run in `path` for `project` to go on with; it may go on for longer than it was meant to.

    Raises:
        ModelError: the file is no run, or is damaged.
        TrainError: it was trained from another graph, or with other settings; says which.
    """
    found = read_run(path)
    if found.project.graph != project.graph:
        words = f"{path.name} was trained from another graph."
        raise TrainError(words, do="Train anew, or restore the graph it was started with.")
    then, now = found.project.training.values(), project.training.values()
    longer = now["epochs"] > then["epochs"]
    changed = [k for k in now if then[k] != now[k] and not (k == "epochs" and longer)]
    if changed:
        differ = [f"{label(k)} was {then[k]!r} and is {now[k]!r}" for k in changed]
        more = f", and {len(differ) - _MOST_NAMED} more" if len(differ) > _MOST_NAMED else ""
        words = f"{path.name} was trained with other settings: {', '.join(differ[:_MOST_NAMED])}{more}."
        raise TrainError(words, do="Train anew, or set them back.")
    return found


def kept_state(run: Checkpoint) -> Kept:
    """Return the state that a run file keeps; that of a run of an older program where there is none.

    Raises:
        ModelError: it holds something else than a run would have written.
    """
    state = run.history.get("state", {})
    patience = _of(state, "patience", dict, {})
    return Kept(
        settled=_of(state, "settled", bool, False),
        average_steps=_of(state, "average_steps", int, 0),
        patience=Patience(
            0,
            float(_of(patience, "accuracy", (int, float), -1.0)),
            _of(patience, "epoch", int, 0),
            _of(patience, "waited", int, 0),
        ),
        teacher=_of(state, "teacher", str, ""),
    )


def _of(values: Any, key: str, kind: Any, default: Any) -> Any:
    found = values.get(key, default) if isinstance(values, dict) else None
    if not isinstance(found, kind):
        raise ModelError(f"Its history says {key!r} wrongly.", do="Train anew.")
    return found
