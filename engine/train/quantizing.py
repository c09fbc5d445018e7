"""Quantization of a trained network of floats, layer after layer, from some records and without gradients.

What is trained as floats gets its widths, steps and corrections here; the run that comes of it can be
exported as it is, or trained on at its widths (quantization-aware training from post-training quantization).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..bnn.activations import ACTIVATION_QUANTIZERS
from ..bnn.conv_patches import Patches
from ..bnn.ranges import mse_scale
from ..errors import TrainError
from ..files.run import Checkpoint
from ..files.store import Weights, packed
from ..graph import Graph
from ..node import Node
from ..options import Family
from ..ports import F32, F64, Array, Spec
from ..precision import PRECISIONS, Precision
from ..records import Records
from ..runtime.program import Program
from .equalize import equalize

WIDTHS = ("2", "3", "4", "8")
_WEIGHTS = "lsq_output"  # a step for each output that stays where it is put, and can be trained on
_SAMPLE = 1 << 16  # numbers that a step of activations is found from
_DAMP = 0.01  # of the mean of the Hessian's diagonal


@dataclass(frozen=True)
class Wanted:
    """What is to be quantized and how.

    Attributes:
        weights: width of the weights, one of WIDTHS.
        activations: width of the activations, one of WIDTHS, or "" to leave them floats.
        layers: names of layers; () for all of floats.
        steps: keys of STEPS that are taken beside rounding.
    """

    weights: str = "8"
    activations: str = "8"
    layers: tuple[str, ...] = ()
    steps: tuple[str, ...] = ("equalize", "gptq", "bias", "norms")


@dataclass
class Work:
    """A network while it is quantized.

    Attributes:
        graph: with the widths wanted.
        weights: of all nodes, changed in place.
        layers: those that are quantized.
        records: what is looked at.
        floats: the network before, its scales evened out.
        done: what was done to each node, in words.
    """

    graph: Graph
    weights: Weights
    layers: tuple[str, ...]
    records: Records
    floats: Program
    done: dict[str, list[str]] = field(default_factory=dict)

    def program(self) -> Program:
        """Return the network as it stands."""
        return Program(self.graph, packed(self.graph, self.weights))

    def note(self, name: str, words: str) -> None:
        """Say what was done to a node."""
        self.done.setdefault(name, []).append(words)


Step = Callable[[Work, str], None]
STEPS: Family[Step] = Family("train.quantizing", "Steps of quantization after training")


def quantize_run(
    run: Checkpoint,
    records: Records,
    wanted: Wanted,
    told: Callable[[float, str], None] = lambda _share, _words: None,
) -> tuple[Checkpoint, dict[str, list[str]]]:
    """Return a run of the same network at narrower widths, ready to train on, and what was done to each node.

    Args:
        run: a trained run.
        records: some of its training records; a thousand will do.
        wanted: widths, layers and steps.
        told: is called before each node with the share done, 0 to 1, and what happens now; what it raises
            ends the work.

    Raises:
        TrainError: there is no such layer, none of floats, or a width or step that is unknown.
    """
    before = run.project.graph
    layers = _layers(run, wanted)
    weights = {
        n: {k: np.array(a) for k, a in {**arrays, **run.average.get(n, {})}.items()}
        for n, arrays in run.weights.items()
    }
    pairs = equalize(before, weights) if "equalize" in wanted.steps else []
    floats = Program(before, packed(before, weights))
    seen = {name: arriving(floats, name, records) for name in layers}
    graph = before
    for name in layers:
        graph = graph.change(name, **_fields(before, name, seen[name], wanted))
        fresh = graph.node(name).start(np.random.default_rng(0), *graph.input_specs(name))
        weights[name] = {**fresh, **{k: a for k, a in weights[name].items() if k in fresh}}
    work = Work(graph, weights, layers, records, floats)
    for first, second in pairs:
        work.note(second, f"channels evened out with {first}")
    chosen = [key for key in STEPS if key in wanted.steps]
    for place, name in enumerate(graph.order):
        told(place / len(graph.order), f"Quantizing {name}")
        if name in layers:
            _round(work, name)
        for key in chosen:
            STEPS.make(key)(work, name)
    project = replace(run.project, graph=graph)
    made = Checkpoint(project=project, weights=weights, optimiser={}, epoch=0, finished=False)
    return made, work.done


def arriving(program: Program, name: str, records: Records) -> F32:
    """Return what arrives at the first input of a node, float32 (n, *shape)."""
    parts = [program.inputs_of(name, values)[0] for values in program.runs(records, only=name)]
    return np.concatenate([np.asarray(part, np.float32) for part in parts if part is not None])


def float_layers(graph: Graph) -> list[str]:
    """Return the layers whose weights are floats and could be of other widths."""
    fields = {name: graph.node(name).values() for name in graph.order}
    return [n for n, v in fields.items() if "weight_quantizer" in v and v.get("weight_bits") == "32"]


def _layers(run: Checkpoint, wanted: Wanted) -> tuple[str, ...]:
    # A separable layer has two weights.
    found = [n for n in float_layers(run.project.graph) if "weight" in run.weights.get(n, {})]
    unknown = [n for n in wanted.layers if n not in found]
    if unknown:
        words = f"{unknown[0]!r} is no layer of float weights; there are {', '.join(found) or 'none'}."
        raise TrainError(words)
    if not found:
        raise TrainError("No layer has float weights.", do="Quantize a run that was trained with 32 bits.")
    for width in filter(None, (wanted.weights, wanted.activations)):
        if width not in WIDTHS:
            raise TrainError(f"The width must be one of {', '.join(WIDTHS)}; got {width!r}.")
    for key in wanted.steps:
        if key not in STEPS and key != "equalize":
            raise TrainError(f"There is no step {key!r}; there are equalize, {', '.join(STEPS)}.")
    return wanted.layers or tuple(found)


def _fields(graph: Graph, name: str, seen: F32, wanted: Wanted) -> dict[str, Any]:
    fields: dict[str, Any] = {"weight_bits": wanted.weights, "weight_quantizer": _WEIGHTS}
    (spec, *_) = graph.input_specs(name)
    real = spec is not None and spec.type == "real"
    if wanted.activations and real and "activation_quantizer" in graph.node(name).about():
        kind = "lsq_unsigned" if seen.min(initial=0) >= 0 else "standard"
        fields |= {"activation_bits": wanted.activations, "activation_quantizer": kind}
    return fields


def _round(work: Work, name: str) -> None:
    """Give a layer the steps of least squared error: of what arrives now, and of its weights."""
    node, arrays = work.graph.node(name), work.weights[name]
    row, fields = PRECISIONS[node.values()["weight_bits"]], node.values()
    arrays["weight_step"][...] = np.maximum(mse_scale(arrays["weight"], row.low, row.high), 1e-6)
    work.note(name, f"{row.title} weights")
    if "step" in arrays:
        x = arriving(work.program(), name, work.records).ravel()
        kind = ACTIVATION_QUANTIZERS.make(fields["activation_quantizer"])
        quantizer = kind(PRECISIONS[fields["activation_bits"]], arrays, "clipped")
        sample = x[:: max(1, x.size // _SAMPLE)]
        arrays["step"][0] = max(float(mse_scale(sample[None], quantizer.low, quantizer.high)[0]), 1e-6)
        work.note(name, f"{PRECISIONS[fields['activation_bits']].title} activations")


@STEPS.option(
    "gptq",
    "Rounding that makes up for itself (GPTQ)",
    formula="column after column: q_i = round(w_i / s) s, w_j <- w_j - (w_i - q_i) U_ij / U_ii for j > i, "
    "U'U = (X'X + 0.01 mean diag)^-1, X what the layer sees",
    citation="Frantar et al. 2022, arXiv:2210.17323",
)
def gptq(work: Work, name: str) -> None:
    """Round the weights of a dense layer or convolution so that its products change little."""
    node = work.graph.node(name)
    (spec, *_) = work.graph.input_specs(name) or (None,)
    if name not in work.layers or spec is None:
        return
    x = met(node, spec, arriving(work.program(), name, work.records))
    if x is None:
        return
    arrays, row = work.weights[name], PRECISIONS[node.values()["weight_bits"]]
    arrays["weight"][...] = compensated(arrays["weight"], arrays["weight_step"], x, row)
    work.note(name, "rounding that makes up for itself")


def met(node: Node, spec: Spec, x: F32) -> F32 | None:
    """Return the rows that every output of a layer is multiplied with, float32 (n, inputs), or None."""
    if node.kind == "bnn.dense":
        return x
    if not node.kind.startswith("bnn.conv") or getattr(node, "groups", 1) != 1:
        return None
    made: Any = node
    patches = Patches(made.window(spec), 1, made.pad(spec))
    return np.asarray(patches.rows(patches.padded(x.reshape(len(x), -1), packed=False), 0), np.float32)


def compensated(w: F32, steps: F32, x: F32, row: Precision) -> F32:
    """Return `w`, float32 (outputs, inputs), rounded by GPTQ to `steps` for rows `x` (n, inputs)."""
    hessian = x.astype(np.float64).T @ x.astype(np.float64)
    unseen = np.diag(hessian) == 0
    hessian[unseen, unseen] = 1
    hessian += _DAMP * np.diag(hessian).mean() * np.eye(len(hessian))
    upper: F64 = np.linalg.cholesky(np.linalg.inv(hessian)).T
    left, s = w.astype(np.float64), steps.astype(np.float64)
    for i in range(w.shape[1]):
        rounded = np.clip(np.rint(left[:, i] / s), row.low, row.high) * s
        left[:, i + 1 :] -= np.outer((left[:, i] - rounded) / upper[i, i], upper[i, i + 1 :])
        left[:, i] = rounded
    return left.astype(np.float32)


@STEPS.option(
    "bias",
    "Bias correction",
    formula="b <- b + mean(y of floats) - mean(y), for each output over the records",
    citation="Nagel et al. 2019, arXiv:1906.04721",
)
def correct_bias(work: Work, name: str) -> None:
    """Move the bias of a layer by what rounding added to the mean of each output."""
    if name not in work.layers or not work.graph.node(name).values().get("bias"):
        return
    bias = work.weights[name]["bias"]
    means = [_mean_output(program, name, work.records, bias) for program in (work.floats, work.program())]
    bias += (means[0] - means[1]).astype(np.float32)
    work.note(name, "bias corrected")


def _mean_output(program: Program, name: str, records: Records, bias: F32) -> F64:
    total = np.zeros(bias.size)
    rows = 0
    for values in program.runs(records):
        out: Array = values[name, "out"].reshape(-1, bias.size)
        total += out.sum(axis=0, dtype=np.float64)
        rows += len(out)
    return total.reshape(bias.shape) / rows


@STEPS.option(
    "norms",
    "Statistics of batch norms anew",
    formula="mean and variance of what arrives, over the records",
)
def norms(work: Work, name: str) -> None:
    """Take the mean and variance of a batch norm anew from what the quantized layers before it give."""
    node = work.graph.node(name)
    if node.kind != "bnn.batch_norm" or not set(work.layers) & work.graph.upstream(name):
        return
    arrays = work.weights[name]
    x = arriving(work.program(), name, work.records).reshape(-1, arrays["mean"].size).astype(np.float64)
    arrays["mean"][...], arrays["variance"][...] = x.mean(axis=0), x.var(axis=0)
    work.note(name, "statistics anew")
