"""What a run tells its listener. Frozen, so it can cross threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..runtime.program import Program

LABELS = "labels right"  # the figure of an output: the share of all labels that are as they are answered
Stage = Literal["prepare", "teacher", "gradient", "memory"]


@dataclass(frozen=True)
class StageStarted:
    """A stage begins.

    Attributes:
        stage: its key.
        words: what happens now, for the status line.
    """

    stage: Stage
    words: str


@dataclass(frozen=True)
class BatchDone:
    """One optimiser step was taken.

    Attributes:
        epoch, epochs: the epoch in hand, from 1, and how many there will be.
        step, steps: the step in this epoch, from 1, and how many an epoch has.
        loss: mean loss of the batch.
        accuracy: share of the batch the training forward pass got right, 0 to 1.
        rate: learning rate of the step.
        records_per_second: throughput of the gradient stage so far.
        seconds_left: expected time to the end of the run.
        metrics: figures of this step by name (`NODE: flipped`, `NODE: dead` ...); {} for most steps.
        stage: `gradient`, or `teacher` for the steps of a teacher that is trained first.
        share: how much of the whole run is done, 0 to 1, its teacher's epochs counted.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    rate: float
    records_per_second: float
    seconds_left: float
    metrics: dict[str, float] = field(default_factory=dict)
    stage: Stage = "gradient"
    share: float = 0.0


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training records is over.

    Attributes:
        stage: `gradient`, `memory` for a pass of a class memory, or `teacher`.
        epoch, epochs: which, from 1, of how many in this stage.
        loss: mean training loss; NaN in the memory stage.
        train_accuracy: running accuracy of the training forward pass, 0 to 1.
        accuracy: what the model, packed as it would be exported, scores on the validation records, 0 to 1.
        seconds: how long the epoch took.
        seconds_left: expected time to the end of the run.
        metrics: further figures by name (flip ratio, spike rate ...).
        part: what is quantized in this stage of a binarization in stages, in words, or "".
        own_accuracy: where not all is quantized yet, what the forward pass of this very stage scores on the
            validation records; NaN where it is what `accuracy` is about.
        program: the packed model as it stands; every panel looks into it.
        checkpoint: the file it was saved to, or "".
    """

    stage: Stage
    epoch: int
    epochs: int
    loss: float
    train_accuracy: float
    accuracy: float
    seconds: float
    seconds_left: float
    metrics: dict[str, float] = field(default_factory=dict)
    part: str = ""
    own_accuracy: float = float("nan")
    program: Program | None = None
    checkpoint: str = ""


@dataclass(frozen=True)
class Finished:
    """The run is over and was not stopped.

    Attributes:
        accuracy: on the test records (validation where there are none), after repair, 0 to 1.
        accuracy_raw: the same before repair.
        validation_accuracy: on the validation records, after repair.
        violations_raw, violations: test records whose answer broke a rule, before and after repair.
        seconds: how long the run took.
        program: the packed model.
        checkpoint: the run file, or "".
        label_accuracy: of several labels a record, the share of all labels that are as they are answered,
            where `accuracy` counts whole records; NaN where a record has one class.
    """

    accuracy: float
    accuracy_raw: float
    validation_accuracy: float
    violations_raw: int
    violations: int
    seconds: float
    program: Program
    checkpoint: str = ""
    label_accuracy: float = float("nan")


@dataclass(frozen=True)
class Stopped:
    """A worker's last word: `why` is `finished`, `asked` or the text of an error."""

    why: str
    epoch: int


Progress = StageStarted | BatchDone | EpochDone | Finished | Stopped
