"""The networks that are measured, as projects drawn through the public API.

The same networks stand in the sides of the peers: an MLP 784-1024-1024-10, 1-bit throughout, with a
batch norm after every product (BinaryNet: Hubara et al. 2016, arXiv:1602.02830), and a CNN of three 3 x 3
convolutions of 32, 64 and 128 maps whose first and last layer are floats.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..catalog import NODES
from ..errors import DataError
from ..files.project import Project, probed
from ..graph import Graph
from ..settings import Training

HIDDEN, TRAINING = 1024, 50_000
IMAGES = "train-images-idx3-ubyte.gz"
_PLACE = "POLYBIT_MNIST"
Layer = tuple[str, str, dict[str, Any]]  # name, kind, fields


def mnist_folder() -> Path:
    """Return the folder with the training part of MNIST: the one told, or that of the example projects.

    Raises:
        DataError: it is in neither.
    """
    told = os.environ.get(_PLACE)
    folder = Path(told) if told else Path(__file__).parents[2] / "projects" / "zoo"
    if not (folder / IMAGES).is_file():
        raise DataError(
            f"{IMAGES} is not in {folder}.", do=f"Run from a clone, or name the folder in {_PLACE}."
        )
    return folder


def mlp(*, inputs: str = "real", bits: str = "1", activation: Layer | None = None) -> list[Layer]:
    """Return the layers of the MLP.

    Args:
        inputs: what its first product takes: `real` numbers, each record over its largest; `scaled` ones, all
            records over the largest of all; `8` or `1` bits.
        bits: width of the weights and of the activations between the layers.
        activation: what stands before the second and third product, by its kind; None: the sign.
    """
    layers = [*_INPUTS[inputs], ("Flatten", "flow.flatten", {})]
    for i, units in enumerate((HIDDEN, HIDDEN, 10), start=1):
        if i > 1:
            name, kind, fields = activation or ("Sign", "bnn.sign", {})
            layers.append((f"{name} {i - 1}", kind, fields))
        layers.append((f"Dense {i}", "bnn.dense", {"units": units, "weight_bits": bits, "bias": False}))
        layers.append((f"Norm {i}", "bnn.batch_norm", {}))
    return layers


def cnn(*, inputs: str = "real", bits: str = "1", activation: Layer | None = None) -> list[Layer]:
    """Return the layers of the CNN: convolutions to 32, 64 and 128 maps, two of them pooled, and a product.

    Args:
        inputs: as of `mlp`; the first convolution has float weights.
        bits: width of the weights of the other two convolutions.
        activation: as of `mlp`.
    """
    layers = list(_INPUTS[inputs])
    name, kind, fields = activation or ("Sign", "bnn.sign", {})
    for i, filters in enumerate((32, 64, 128), start=1):
        width = bits if i > 1 else "32"
        own = {"filters": filters, "weight_bits": width, "bias": False, "pad_value": "1"}
        layers.append((f"Conv {i}", "bnn.conv2d", own))
        if i < 3:
            layers.append((f"Pool {i}", "bnn.max_pool", {}))
        layers += [(f"Norm {i}", "bnn.batch_norm", {}), (f"{name} {i}", kind, fields)]
    last = {"units": 10, "weight_bits": "32", "bias": False}
    return [
        *layers,
        ("Flatten", "flow.flatten", {}),
        ("Dense", "bnn.dense", last),
        ("Norm 4", "bnn.batch_norm", {}),
    ]


def project(
    layers: Sequence[Layer], folder: Path, training: Training | None = None, *, records: int = TRAINING
) -> Project:
    """Return the project of a chain of layers on MNIST.

    Args:
        layers: from the samples to the scores.
        folder: where the records are; 10,000 of the 60,000 are kept for validation.
        training: how it is trained.
        records: how many it is trained on, up to 50,000.
    """
    graph = Graph()
    graph = graph.add("MNIST", NODES["data.idx"].of({"images": str(folder / IMAGES)}))
    shares = {"train": records / 600, "validation": 100 / 6, "test": (TRAINING - records) / 600}
    graph = graph.add("Split", NODES["flow.split"].of(shares))
    graph = graph.wire("MNIST", "samples", "Split", "samples").wire("MNIST", "labels", "Split", "labels")
    end, port = "Split", "samples"
    for name, kind, fields in layers:
        graph = graph.add(name, NODES[kind].of(fields)).wire(end, port, name, "in")
        end, port = name, "out"
    graph = graph.add("Answer", NODES["flow.output"]()).wire(end, port, "Answer", "scores")
    graph = graph.wire("Split", "labels", "Answer", "labels")
    return probed(Project(graph=graph, training=training or Training(epochs=10, batch=128, rate=0.005)))


_INPUTS: dict[str, list[Layer]] = {
    "scaled": [("Scale", "flow.standardise", {"method": "range_all"})],
    "real": [("Scale", "flow.standardise", {"method": "record"})],
    "8": [("Scale", "flow.standardise", {"method": "range_all"}), ("Levels", "bnn.quantize", {"bits": "8"})],
    "1": [("Scale", "flow.standardise", {"method": "zscore"}), ("Threshold", "bnn.sign", {})],
}
