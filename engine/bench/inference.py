"""Inference beside ONNX Runtime, OpenVINO and Larq Compute Engine: images a second from an exported model."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .networks import mnist_folder
from .pairs import SUITES, Comparison, Row, Wanted, compare_timed
from .workers import Side, SideError

BATCHES = (1, 64, 1024)
_LEAST = 0.1  # seconds of one side of a pair
LCE_PYTHON = "POLYBIT_LCE_PYTHON"

# Title, and what the drawing of the network is told, by the network that the peers run.
OURS: dict[str, dict[str, dict[str, Any]]] = {
    "mlp": {
        "MLP 784-1024-1024-10, 1-bit inputs": {"inputs": "1"},
        "MLP 784-1024-1024-10, 8-bit inputs": {"inputs": "8"},
    },
    "cnn": {"CNN 32-64-128": {"inputs": "scaled"}},
}
_INT8: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("ONNX Runtime int8, static", "onnxruntime_inference", {"kind": "int8 static"}),
    ("ONNX Runtime int8, operators", "onnxruntime_inference", {"kind": "int8 operators"}),
    ("ONNX Runtime int8, dynamic", "onnxruntime_inference", {"kind": "int8 dynamic"}),
    ("OpenVINO int8", "openvino_inference", {}),
)


@SUITES.option("inference", "Inference", formula="images/s of exported 1-bit networks, batch 1, 64 and 1,024")
def inference(wanted: Wanted) -> list[Row]:
    """Return the comparisons of every network and batch on one core, or as many as are wanted."""
    folder = str(mnist_folder())
    rows: list[Row] = []
    for network in OURS:
        if not wanted.peers and network != "mlp":
            wanted.note(f"The network {network} is measured beside other programs alone; add --peers.")
            continue
        for batch in BATCHES:
            for cores in wanted.cores or (1,):
                job = {"network": network, "folder": folder, "batch": batch, "task": "inference"}
                rows += _rows(job, wanted, cores)
    return rows


def _rows(job: dict[str, Any], wanted: Wanted, cores: int) -> list[Row]:
    """Return ours, in each form of the network, beside every peer of one job."""
    rows = []
    for peer in _fp32, _int8, _lce:
        if not wanted.peers and peer is not _fp32:
            continue
        try:
            with peer(job, wanted, cores) as (peer_name, side):
                rows += [
                    _row(title, {**job, "options": options}, wanted, cores, peer_name, side)
                    for title, options in OURS[job["network"]].items()
                ]
        except SideError as error:
            wanted.note(f"A row of {job['network']}, batch {job['batch']}, is left out: {error}")
    return rows


def _row(title: str, job: dict[str, Any], wanted: Wanted, cores: int, peer_name: str, peer: Side) -> Row:
    with Side("ours_inference", job, cores=cores) as ours:
        name = f"Inference, {title}, batch {job['batch']}"
        what = Comparison(name, peer_name, job["batch"], "images/s", wanted.pairs, cores, _LEAST)
        row = compare_timed(what, ours.time, peer.time)
    wanted.note(f"{name}: {row.ratio:.2f} times {peer_name}.")
    return row


@contextmanager
def _fp32(job: dict[str, Any], wanted: Wanted, cores: int) -> Iterator[tuple[str, Side]]:
    if not wanted.peers:
        with Side("numpy_mlp", job, cores=cores) as side:
            yield "NumPy float32", side
        return
    with Side("onnxruntime_inference", {**job, "kind": "float32"}, cores=cores) as side:
        yield "ONNX Runtime float32", side


@contextmanager
def _int8(job: dict[str, Any], wanted: Wanted, cores: int) -> Iterator[tuple[str, Side]]:
    """Give the fastest int8 program of this job."""
    found: list[tuple[float, str, Side]] = []
    try:
        for name, module, more in _INT8:
            try:
                side = Side(module, {**job, **more}, cores=cores)
            except SideError as error:
                wanted.note(f"{name} is not measured: {error}")
                continue
            repeats = max(1, round(_LEAST / max(side.time(1), 1e-9)))
            found.append((min(side.time(repeats) / repeats for _ in range(3)), name, side))
        if not found:
            raise SideError("no int8 program is there.")
        _, name, side = min(found, key=lambda one: one[0])
        yield name, side
    finally:
        for _, _, side in found:
            side.close()


@contextmanager
def _lce(job: dict[str, Any], wanted: Wanted, cores: int) -> Iterator[tuple[str, Side]]:
    python = os.environ.get(LCE_PYTHON, sys.executable)
    try:
        side = Side("lce_inference", job, cores=cores, python=python)
    except SideError as error:
        do = f"Name an interpreter that has larq-compute-engine, larq and tensorflow in {LCE_PYTHON}."
        raise SideError(error.what, do=do) from error
    with side:
        yield "Larq Compute Engine", side
