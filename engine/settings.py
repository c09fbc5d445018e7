"""How a project is trained: the settings that a project file keeps beside its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fields import Fields, choice, real, whole
from .losses import LOSSES, SCHEDULES


@dataclass(frozen=True)
class Training(Fields):
    """Settings of the gradient stage and of the run as a whole."""

    title: ClassVar[str] = "Training"

    epochs: int = whole(
        20, 1, 100_000, "Passes over the training records in the gradient stage", unit="epochs"
    )
    batch: int = whole(64, 1, 65_536, "Records per step", unit="records")
    rate: float = real(
        0.003, 1e-7, 10.0, "Learning rate at the start", citation="Kingma & Ba 2015, arXiv:1412.6980"
    )
    schedule: str = choice(
        "cosine",
        SCHEDULES,
        "How the learning rate falls",
        citation="Loshchilov & Hutter 2017, arXiv:1608.03983",
    )
    loss: str = choice("cross_entropy", LOSSES, "What the gradient stage makes small")
    weight_decay: float = real(
        0.0,
        0.0,
        1.0,
        "Pull of float weights to zero, decoupled from the gradient",
        citation="Loshchilov & Hutter 2019, arXiv:1711.05101",
    )
    seed: int = whole(0, 0, 2**31 - 1, "Where every random choice of the run starts")
