"""The order in which a network is made binary. A new order is one decorated function.

An order takes how many epochs its first and its second part last and how many there are in all, and gives
its stages; what is quantized in a stage is told to every operator before every step (node.Moment).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import TrainError
from .options import Family


@dataclass(frozen=True)
class Stage:
    """A stretch of the gradient epochs.

    Attributes:
        words: what is quantized, for the status line and the plot.
        begin, end: its first epoch, counted from 0, and the one after its last.
        weights: whether weights are quantized; where not, the latent floats count.
        activations: whether activations are quantized.
    """

    words: str
    begin: int
    end: int
    weights: bool = True
    activations: bool = True

    @property
    def whole(self) -> bool:
        """Whether everything is quantized that will be shipped so."""
        return self.weights and self.activations


Quantized = tuple[bool, bool]  # weights, activations
Order = Callable[[], tuple[Quantized, Quantized]]

ORDERS: Family[Order] = Family("train.stages", "Orders of binarization")

_WORDS = {
    (False, False): "floats",
    (True, False): "quantized weights, float activations",
    (False, True): "float weights, quantized activations",
    (True, True): "all quantized",
}


@ORDERS.option("none", "All at once", formula="weights and activations quantized from the first step")
def none() -> tuple[Quantized, Quantized]:
    """Return no stages before the last."""
    return ((True, True), (True, True))


@ORDERS.option("weights", "Floats, weights, all", formula="floats, then quantized weights, then all")
def weights() -> tuple[Quantized, Quantized]:
    """Return floats, then quantized weights with float activations."""
    return ((False, False), (True, False))


@ORDERS.option(
    "activations",
    "Floats, activations, all",
    formula="floats, then quantized activations, then all",
    citation="Liu et al. 2020 (ReActNet), arXiv:2003.03488",
)
def activations() -> tuple[Quantized, Quantized]:
    """Return floats, then quantized activations with float weights."""
    return ((False, False), (False, True))


def stages(order: str, epochs: int, first: float, second: float) -> tuple[Stage, ...]:
    """Return the stages of a run in order; those that last no epoch are left out.

    Args:
        order: a key of ORDERS.
        epochs: epochs of the whole run.
        first: epochs of the floats; below 1, a share of all epochs.
        second: epochs of what follows them, likewise.

    Raises:
        TrainError: they leave no epoch for the last stage, in which all is quantized.
    """
    kinds = ORDERS.make(order)()
    if all(all(kind) for kind in kinds):
        return (Stage("", 0, epochs),)
    counts = [round(epochs * part) if part < 1 else round(part) for part in (first, second)]
    left = epochs - sum(counts)
    if left < 1:
        words = f"The stages before the last take {sum(counts)} of {epochs} epochs: none is left for it."
        raise TrainError(words, do="Train for more epochs, or give the earlier stages fewer.")
    out: list[Stage] = []
    at = 0
    for kind, count in zip((*kinds, (True, True)), (*counts, left), strict=True):
        if count:
            out.append(Stage(_WORDS[kind], at, at + count, *kind))
        at += count
    return tuple(out)
