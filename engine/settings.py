"""How a project is trained: the settings that a project file keeps beside its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .augmentations import AUGMENTATIONS, parse
from .fields import Fields, choice, flag, path, real, text, whole
from .limits import LIMITS
from .losses import LOSSES
from .optimisers import FOR_ANY, FOR_SIGNS, OPTIMISERS, SAME
from .schedules import SCHEDULES
from .stages import ORDERS

TEACHERS = {
    "none": "None",
    "self": "This graph as floats, trained first",
    "file": "From a file",
}

GRADIENT_PRODUCTS = {"float32": "float32", "bfloat16": "bfloat16 where faster"}
_WITH_MOMENTUM = {"sgd", "nesterov"}


@dataclass(frozen=True)
class Training(Fields):
    """Settings of the gradient stage and of the run as a whole."""

    title: ClassVar[str] = "Training"

    epochs: int = whole(
        20, 1, 100_000, "Passes over the training records in the gradient stage", unit="epochs"
    )
    batch: int = whole(64, 1, 65_536, "Records per step", unit="records")
    optimiser: str = choice("adamw", FOR_ANY, "How weights move against their gradient", group="Optimiser")
    rate: float = real(
        0.003,
        1e-7,
        10.0,
        "Learning rate at its highest",
        citation="Kingma & Ba 2015, arXiv:1412.6980",
        group="Optimiser",
    )
    momentum: float = real(
        0.9,
        0.0,
        0.9999,
        "Share of the running gradient that SGD keeps at each step",
        group="Optimiser",
        when=lambda t: bool({t.optimiser, t.binary_optimiser} & _WITH_MOMENTUM),
    )
    binary_optimiser: str = choice(
        SAME,
        FOR_SIGNS,
        "How 1-bit weights move",
        citation="Helwegen et al. 2019, arXiv:1906.02107",
        group="Optimiser",
    )
    binary_rate: float = real(
        0.0,
        0.0,
        10.0,
        "Learning rate of 1-bit weights; 0 takes the rate above, and 0.0001 for Bop",
        group="Optimiser",
    )
    binary_decay: float = real(
        0.0,
        0.0,
        1.0,
        "Pull of latent 1-bit weights to zero, where signs flip more easily",
        group="Optimiser",
    )
    flip_threshold: float = real(
        1e-8,
        0.0,
        1.0,
        "How much must speak against a sign before Bop flips it",
        citation="Helwegen et al. 2019, arXiv:1906.02107",
        group="Optimiser",
        when=lambda t: t.for_signs.startswith("bop"),
    )
    schedule: str = choice(
        "cosine",
        SCHEDULES,
        "How the learning rate goes over the run",
        group="Schedule",
        citation="Loshchilov & Hutter 2017, arXiv:1608.03983",
    )
    warm_up: float = real(
        0.0,
        0.0,
        1000.0,
        "Epochs over which the rate first rises in a straight line from 0",
        unit="epochs",
        citation="Goyal et al. 2017, arXiv:1706.02677",
        group="Schedule",
    )
    floor: float = real(
        0.0,
        0.0,
        1.0,
        "Share of the learning rate that the schedule ends at, at the least",
        group="Schedule",
        when=lambda t: t.schedule != "constant",
        title="Lowest rate",
    )
    loss: str = choice("cross_entropy", LOSSES, "What the gradient stage makes small", group="Loss")
    smoothing: float = real(
        0.0,
        0.0,
        0.9,
        "Share of each label that cross-entropy spreads over all classes",
        citation="Szegedy et al. 2016, arXiv:1512.00567",
        group="Loss",
        when=lambda t: t.loss == "cross_entropy",
    )
    rule_weight: float = real(
        0.0,
        0.0,
        1000.0,
        "Weight of the semantic loss of every constraint guard: how improbable it is that its rules are kept",
        citation="Xu et al. 2018, arXiv:1711.11157",
        group="Loss",
        title="Weight of rules",
    )
    weight_decay: float = real(
        0.0,
        0.0,
        1.0,
        "Pull of float weights to zero; AdamW keeps it apart from the gradient",
        group="Optimiser",
        citation="Loshchilov & Hutter 2019, arXiv:1711.05101",
    )
    gradient_clip: float = real(
        0.0,
        0.0,
        1e6,
        "Longest gradient, all parameters together; longer ones are shortened; 0 leaves them",
        citation="Pascanu et al. 2013, arXiv:1211.5063",
        group="Optimiser",
    )
    gradient_products: str = choice(
        "float32",
        GRADIENT_PRODUCTS,
        "How floats are multiplied on the way back; bfloat16 only where this processor does it sooner",
        citation="Kalamkar et al. 2019, arXiv:1905.12322",
        group="Optimiser",
    )
    limit: str = choice(
        "fixed",
        LIMITS,
        "What latent 1-bit weights are clipped to after every step",
        group="Optimiser",
        title="Weight limit",
    )
    limit_at: float = real(
        3.0,
        0.0,
        100.0,
        "Deviations, or the quantile (0 to 1), that latent weights are clipped to",
        group="Optimiser",
        when=lambda t: t.limit != "fixed",
    )
    average: float = real(
        0.0,
        0.0,
        0.99999,
        "Share that a running mean of the weights keeps at each step; it is scored and shipped; 0 is off",
        citation="Tarvainen & Valpola 2017, arXiv:1703.01780",
        group="Schedule",
        title="Running mean",
    )
    patience: int = whole(
        0,
        0,
        100_000,
        "Epochs without a better validation accuracy before it stops, at the best; 0 never",
        unit="epochs",
        group="Stopping",
    )
    augment: str = text(
        "",
        f"What is done to training records, as in 'shift 2, flip'; there are {', '.join(AUGMENTATIONS)}",
        group="Augmentation",
        title="Changes",
    )
    stages: str = choice("none", ORDERS, "In which order the network is made binary", group="Stages")
    float_epochs: float = real(
        0.25,
        0.0,
        100_000.0,
        "Epochs of floats before anything is quantized; below 1, a share of all",
        group="Stages",
        when=lambda t: t.stages != "none",
    )
    middle_epochs: float = real(
        0.25,
        0.0,
        100_000.0,
        "Epochs in which half is quantized; below 1, a share of all",
        group="Stages",
        when=lambda t: t.stages != "none",
        title="Half-way epochs",
    )
    fresh: bool = flag(
        True,
        "Start the schedule and the optimiser anew in every stage",
        group="Stages",
        when=lambda t: t.stages != "none",
        title="Begin anew in every stage",
    )
    teacher: str = choice(
        "none",
        TEACHERS,
        "Whose scores are learned beside the labels",
        citation="Hinton et al. 2015, arXiv:1503.02531",
        group="Distillation",
    )
    teacher_file: str = path(
        "A project, which is trained first, or a run or model",
        (".polybit", ".h5"),
        group="Distillation",
        when=lambda t: t.teacher == "file",
    )
    teacher_epochs: int = whole(
        0,
        0,
        100_000,
        "Epochs of a teacher that is trained first; 0 takes its own",
        unit="epochs",
        group="Distillation",
        when=lambda t: t.teacher != "none",
    )
    teacher_weight: float = real(
        1.0,
        0.0,
        1000.0,
        "Weight of the teacher's scores in the loss",
        citation="Hinton et al. 2015, arXiv:1503.02531",
        group="Distillation",
        when=lambda t: t.teacher != "none",
    )
    temperature: float = real(
        4.0,
        0.1,
        100.0,
        "How much both scores are softened before they are compared",
        group="Distillation",
        when=lambda t: t.teacher != "none",
    )
    label_weight: float = real(
        1.0,
        0.0,
        1000.0,
        "Weight of the labels in the loss, beside a teacher",
        group="Distillation",
        when=lambda t: t.teacher != "none",
    )
    attention_weight: float = real(
        0.0,
        0.0,
        1e6,
        "Weight of the teacher's attention maps in the loss",
        citation="Zagoruyko & Komodakis 2017, arXiv:1612.03928",
        group="Distillation",
        when=lambda t: t.teacher != "none",
    )
    attention_nodes: str = text(
        "",
        "Nodes whose maps are compared: NODE or NODE = TEACHER'S, comma between; empty finds them",
        group="Distillation",
        when=lambda t: t.teacher != "none" and t.attention_weight > 0,
    )
    seed: int = whole(0, 0, 2**31 - 1, "Where every random choice of the run starts")

    def __post_init__(self) -> None:
        super().__post_init__()
        parse(self.augment)

    @property
    def for_signs(self) -> str:
        """Return the optimiser of 1-bit weights."""
        return self.optimiser if self.binary_optimiser == SAME else self.binary_optimiser

    @property
    def sign_rate(self) -> float:
        """Return the learning rate of 1-bit weights at its highest."""
        return self.binary_rate or OPTIMISERS.make(self.for_signs).rate or self.rate
