"""What every node on the canvas is, and what it becomes when the graph is compiled.

A node kind is one file with one class that derives from `Node` (a frozen dataclass of `fields`). It states
its ports, shape rule, cost and starting weights, how weights are packed for shipping, and how packed weights
predict. A kind that learns by gradient also states its training `Operator`; a kind that learns in a pass of
its own states `learn`. Palette, inspector, estimate, training, export and the conformance test find it from
there (engine/catalog.py looks through the rooms).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np

from .errors import GraphError
from .fields import Fields
from .guard import Showing
from .ports import F32, F64, I64, Array, Arrays, Port, Spec

Specs = tuple[Spec, ...]
Predictor = Callable[..., tuple[Array, ...]]
Learning = Literal["none", "fit", "gradient", "memory"]
Family = Literal["data", "flow", "bnn", "hdc", "snn", "logic"]


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates of one record at one pair of widths (keys of PRECISIONS)."""

    count: int
    weight: str = "32"
    activation: str = "32"


@dataclass(frozen=True)
class Cost:
    """What one node costs for one record, counted.

    Attributes:
        weight_bits: storage of the shipped arrays, in bits.
        work: multiply-accumulates by widths; an addition alone counts as one.
    """

    weight_bits: int = 0
    work: tuple[Work, ...] = ()


@dataclass(frozen=True)
class Footprint:
    """Bytes that a compiled node holds for one batch."""

    weights: int = 0
    activations: int = 0
    workspace: int = 0
    training: int = 0

    def __add__(self, other: Footprint) -> Footprint:
        mine, theirs = vars(self), vars(other)
        return Footprint(**{k: mine[k] + theirs[k] for k in mine})


@dataclass
class Parameter:
    """One trainable array: the latent value, its gradient, and what the optimiser must respect.

    Attributes:
        name: key in the node's weights.
        value: float32, changed in place by the optimiser.
        grad: float32 of the same shape, overwritten by `Operator.gradient`.
        limit: the value is kept within -limit to +limit (latent weights of 1-bit layers), or None.
        floor: the value is kept at or above this, or None.
        binary: whether it is latent weights that count by their signs: they may have another optimiser.
        relative: whether it is a scale (the step of a quantizer): an optimiser whose moves know nothing of
            the size of a gradient then moves it by shares of its own size.
    """

    name: str
    value: F32
    grad: F32
    limit: float | None = None
    floor: float | None = None
    binary: bool = False
    relative: bool = False


@dataclass(frozen=True)
class Moment:
    """Where a training stands; the loop tells every operator before every step.

    Attributes:
        share: of all gradient steps taken, 0 to 1; what anneals over a training reads it.
        weights: whether weights are quantized in this stage; where not, latent floats count.
        activations: whether activations are quantized in this stage; where not, floats pass.
        learning: whether this is a training step; where not (the stage is being scored, or a teacher is
            asked), running statistics count and stay as they are, and nothing is left to chance.
        bfloat16: whether products of gradients may be rounded to bfloat16 where that is faster.
        places: int64 (n,), where the records of this step stand in the training part; None where they are
            not of it.
        losses: float32 (n,), the loss of each record in this step, which is written between the forward pass
            and the way back; None where nobody does. Their mean is what the step makes small.
    """

    share: float = 1.0
    weights: bool = True
    activations: bool = True
    learning: bool = True
    bfloat16: bool = False
    places: I64 | None = field(default=None, compare=False)
    losses: F32 | None = field(default=None, compare=False)


class ShapeError(GraphError):
    """A shape rule does not hold. `port` or `parameter` says where, when there is one place to point at."""

    def __init__(self, what: str, *, do: str = "", port: str = "", parameter: str = "") -> None:
        super().__init__(what, do=do)
        self.port, self.parameter = port, parameter


class Operator:
    """A node compiled for a batch size: buffers are made once, here, and reused for every batch.

    Attributes:
        weights: the node's weights by name; an operator changes them in place.
        rng: drawn from by operators that need chance in training; the loop reseeds it every epoch.
        input_wanted: whether anything that learns stands before it; where not, `gradient` may give None for
            its inputs and spare the work.
        input_spare: whether `gradient` may write into what arrived: it is a buffer of who made it, who reads
            it no more, and nobody else does.
        grad_spare: whether `gradient` may write into dL/doutput, which nobody else holds or reads again.
        moment: where the training stands; told before every step.

    Class attributes:
        output_spare: whether what it gives are buffers of its own that it does not read again.
        back_spare: likewise of the gradients that it gives back: `own` buffers, one for each input or what it
            may write into; views of what `arrives`; or neither.
    """

    output_spare: ClassVar[bool] = False
    back_spare: ClassVar[Literal["own", "arrives", ""]] = ""

    def __init__(self, weights: Arrays) -> None:
        self.weights = weights
        self.rng = np.random.default_rng(0)
        self.moment = Moment()
        self.input_wanted, self.input_spare, self.grad_spare = True, False, False

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        """Run the training forward pass on up to a batch of records; outputs are views of buffers."""
        raise NotImplementedError

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        """Return dL/dinput for each input given dL/doutput for each output; None where nothing flows.

        Uses what the last `execute` saw and writes the gradient of every parameter.
        """
        raise NotImplementedError

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the arrays that the optimiser changes."""
        return ()

    def slopes(self) -> F32 | None:
        """Return by what each element of the input is multiplied on its way to the same one of the output.

        Float32 (1,), (channels,) or (elements,), for the last `execute`; what else the output depends on,
        such as the mean of a batch, is held. None where it is no element times a number and more.
        """
        return None

    def metrics(self) -> dict[str, float]:
        """Return figures of the last batch worth watching, by name (spike rate, saturation ...)."""
        return {}

    def hardware_profile(self) -> tuple[str, ...]:
        """Return which kernels it takes on this host and why, one sentence each."""
        return ()

    def memory_footprint(self) -> Footprint:
        """Return the bytes it holds: weights, and every array among its attributes as workspace."""
        held = sum(a.nbytes for a in vars(self).values() if isinstance(a, np.ndarray))
        training = sum(p.grad.nbytes for p in self.parameters())
        weights = sum(a.nbytes for a in self.weights.values())
        return Footprint(weights=weights, workspace=max(0, held - training), training=3 * training)


class Fixed(Operator):
    """The operator of a node that does not learn by gradient: it predicts, and stops the gradient."""

    def __init__(self, weights: Arrays, predictor: Predictor, inputs: int) -> None:
        super().__init__(weights)
        self._predictor, self._inputs = predictor, inputs

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        return self._predictor(*inputs)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        return (None,) * self._inputs


class Penalty(ABC):
    """What a node that corrects answers adds to the loss of its scores, so that less is to be corrected."""

    @abstractmethod
    def __call__(self, *inputs: Array | None) -> tuple[F64, F32]:
        """Return the term of each record, float64 (n,), and dL/dscores of their mean, float32 (n, scores).

        Args:
            inputs: what arrives at the node, in the order of its ports.
        """

    def figures(self) -> dict[str, float]:
        """Return figures of the last batch by their names."""
        return {}


@dataclass(frozen=True)
class Node(Fields):
    """Base of the node kinds. A node is a value: editing one makes another.

    Class attributes:
        kind: our own key in files, `room.name`; never an import path.
        title: name in palette and header.
        family: paradigm; gives the colour.
        icon: a Phosphor icon name.
        order: place within its section of the palette.
        summary: one line for the palette's tooltip and the catalogue.
        citation: the paper, or "".
        inputs, outputs: the ports.
        learning: how the weights are found: not at all, fitted to the training records, by gradient, or as
            a memory filled after the gradient stage.
        corrects: for a node that corrects answers, the input whose scores it corrects; the gradient stage
            steps over it, from that input to its first output.
        together: whether records are answered together, so that one's answer depends on the others: a model
            gives it all records at once, whatever it runs before in chunks.
        passes: for a node that changes no number, the input whose elements its first output gives, if in
            another shape.
    """

    kind: ClassVar[str] = ""
    family: ClassVar[Family] = "flow"
    icon: ClassVar[str] = "ph.cube"
    order: ClassVar[int] = 50
    summary: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = ()
    learning: ClassVar[Learning] = "none"
    corrects: ClassVar[str] = ""
    together: ClassVar[bool] = False
    passes: ClassVar[str] = ""

    def specs(self, *inputs: Spec | None) -> Specs:
        """Return the spec of each output for the spec of each input (None: an optional input not wired).

        Raises:
            ShapeError: the inputs cannot be what they are; names the port or parameter and both shapes.
        """
        raise NotImplementedError

    def warnings(self, *inputs: Spec | None) -> tuple[str, ...]:
        """Return sentences about what is odd but keeps nothing from running."""
        return ()

    def cost(self, *inputs: Spec | None) -> Cost:
        """Return what the node costs for one record."""
        return Cost()

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        """Return fresh weights, by name (float32 where they are trained)."""
        return {}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        """Return the weights fitted to all training records at once (`learning = "fit"`).

        Real inputs are float32, or what `Records.samples` holds where nothing changes it on the way here.
        """
        return weights

    def learn(
        self, weights: Arrays, labels: I64, rng: np.random.Generator, *inputs: Array
    ) -> Iterator[float]:
        """Fill a memory from all training records (`learning = "memory"`), changing `weights` in place.

        Yields:
            training accuracy, 0 to 1, after every round (a field `rounds` says how many there will be);
            pulling no more stops it in a usable state.
        """
        raise NotImplementedError

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        """Return the arrays that are stored and shipped, by name."""
        return dict(weights)

    def may_be_shorter(self, name: str) -> bool:
        """Return whether a packed array may have fewer entries along its first axis than a fresh one has."""
        return False

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        """Return the function from input arrays to output arrays that a shipped model runs.

        It must give the same bits for a record whatever other records stand beside it, save for a node
        that answers them `together`: there, whatever others stand beside those that belong with it.
        """
        raise NotImplementedError

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        """Return what the node becomes for training with up to `batch` records at a time."""
        return Fixed(weights, self.predictor(self.pack(weights, *inputs), *inputs), len(self.inputs))

    def penalty(self, *inputs: Spec | None) -> Penalty | None:
        """Return what a node that corrects answers adds to the loss of its scores, or None."""
        return None

    def showing(self, *inputs: Spec | None) -> Showing | None:
        """Return what a node that keeps answers to rules shows of them, or None."""
        return None

    def texts(self) -> Mapping[str, str]:
        """Return, by name, the texts outside the project that its answers depend on.

        A model file carries them; who reads it sets the hidden field `carried` of the node to them.
        """
        return {}

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return up to two (label, value) pairs that the canvas paints on the node."""
        return ()

    def weight_levels(self, packed: Arrays) -> Array | None:
        """Return the shipped weights as numbers for the weight map, (outputs, inputs or more), or None.

        Columns past the inputs are the padding of the last word.
        """
        return None

    def kernel_shape(self, *inputs: Spec | None) -> tuple[int, ...]:
        """Return the axes of the kernel that a row of `weight_levels` holds, channels last; () for none."""
        return ()

    def layers(
        self, weights: Arrays, *inputs: Spec | None
    ) -> tuple[tuple[Node, Arrays, tuple[Spec | None, ...]], ...]:
        """Return the layers it is made of, each with its own of `weights` (not copies) and its inputs."""
        return ((self, weights, inputs),)

    @classmethod
    def port(cls, name: str, *, output: bool) -> Port | None:
        """Return the named port, or None."""
        return next((p for p in (cls.outputs if output else cls.inputs) if p.name == name), None)

    @classmethod
    def bit_fields(cls) -> tuple[str, ...]:
        """Return the names of the fields that hold a bit width, the main one first."""
        return tuple(name for name, about in cls.about().items() if about.form == "bits")


def wired(inputs: tuple[Spec | None, ...]) -> Specs:
    """Return the specs of a node whose inputs are all required, which the graph has seen to."""
    return tuple(spec for spec in inputs if spec is not None)


def changed(node: Node, values: dict[str, Any]) -> Node:
    """Return `node` with some fields changed, hidden ones included; limits are checked.

    Raises:
        FieldError: a value does not fit.
        GraphError: there is no such field.
    """
    for name in values:
        if name not in node.about():
            there = ", ".join(node.values())
            raise GraphError(f"{node.title} has no parameter {name!r}; there are {there}.")
    return replace(node, **values)
