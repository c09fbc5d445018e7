"""The run file, written after every epoch: everything a run needs to go on, or to be exported.

HDF5, format 1:

    /                attrs polybit_format="run", version=1, epoch, finished, seal
    /plan, /input    as in a model (files/store.py)
    /weights/N/A     the latent array A of node N
    /optimiser/A/B   the optimiser's state
    /average/N/A     the running mean of the array A of node N, where there is one
    /best/N/A        the array A of node N as the best epoch had it, where a run waits for a better one
    /teacher         the run of the teacher that is trained first: /plan, /input, /weights ... as above
    /history         uint8: JSON, figures of every epoch, of the end, and of what the run waits for
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .. import hdf5
from ..errors import ModelError
from ..ports import Arrays
from ..runtime.program import Program
from .atomic import replacing
from .project import Project
from .store import (
    Weights,
    check_format,
    check_graph,
    packed,
    read_arrays,
    read_json,
    read_stored_project,
    started,
    write_arrays,
    write_project,
    write_text,
)

FORMAT, VERSION = "run", 1


@dataclass(frozen=True)
class Checkpoint:
    """A run as it stood after an epoch.

    Attributes:
        project: what is trained, data headers included.
        weights: latent arrays by node.
        optimiser: the optimiser's arrays.
        epoch: gradient epochs done.
        finished: whether the run is over.
        history: figures of every epoch, oldest first, of the end, and of the run's state.
        average: running means of float arrays by node, {} where there are none; they are what ships.
        best: the weights of the best epoch by node, {} where a run does not keep them.
        teacher: the run of a teacher that is trained first, or None.
    """

    project: Project
    weights: Weights
    optimiser: Arrays
    epoch: int
    finished: bool
    history: dict[str, Any] = field(default_factory=dict)
    average: Weights = field(default_factory=dict)
    best: Weights = field(default_factory=dict)
    teacher: Checkpoint | None = None

    def program(self) -> Program:
        """Return the model as it would be exported."""
        weights = {n: {**arrays, **self.average.get(n, {})} for n, arrays in self.weights.items()}
        return Program(self.project.graph, packed(self.project.graph, weights))


def write_run(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`, whole or not at all."""
    with replacing(path) as part, hdf5.writing(part) as file:
        hdf5.write_attributes(file, polybit_format=FORMAT, version=VERSION)
        _write(file, checkpoint)
        if checkpoint.teacher:
            _write(file.create_group("teacher"), checkpoint.teacher)
        hdf5.write_seal(file)


def _write(group: h5py.Group, checkpoint: Checkpoint) -> None:
    hdf5.write_attributes(group, epoch=checkpoint.epoch, finished=checkpoint.finished)
    write_project(group, checkpoint.project)
    for name in ("weights", "average", "best"):
        write_arrays(group, name, getattr(checkpoint, name))
    for key, value in checkpoint.optimiser.items():
        group.create_dataset(f"optimiser/{key}", data=value)
    write_text(group, "history", json.dumps(checkpoint.history))


def read_run(path: str | Path) -> Checkpoint:
    """Read what `write_run` wrote.

    Raises:
        ModelError: the file is not a run, is damaged, or was written by a newer program.
    """
    path = Path(path)
    where = path.name
    with hdf5.reading(path, ModelError) as file:
        check_format(file, path, FORMAT, VERSION)
        found = _read(file, where)
        taught = _group(file, "teacher", where)
        if taught is not None:
            found = replace(found, teacher=_read(taught, f"{where}, teacher"))
        hdf5.check_seal(file, where, ModelError)
        return found


def _read(group: h5py.Group, where: str) -> Checkpoint:
    project = read_stored_project(group, where)
    check_graph(project.graph, group.file, where)
    fresh = started(project.graph)
    epoch = hdf5.whole_attribute(group, "epoch")
    if epoch is None:
        raise ModelError("It does not say how many epochs are done.", where=where)
    return Checkpoint(
        project=project,
        weights=read_arrays(group, "weights", where, fresh),
        optimiser=_optimiser(group, where),
        epoch=epoch,
        finished=bool(hdf5.whole_attribute(group, "finished")),
        history=read_json(group, "history", where),
        average=_average(group, where, fresh),
        best=read_arrays(group, "best", where, fresh) if "best" in group else {},
    )


def _group(group: h5py.Group, name: str, where: str) -> h5py.Group | None:
    """Return the group `name`, or None where there is none."""
    if name not in group:
        return None
    found = hdf5.member(group, name, where, ModelError)
    if not isinstance(found, h5py.Group):
        raise ModelError(f"{name!r} is not a group.", where=where)
    return found


def _average(group: h5py.Group, where: str, fresh: Weights) -> Weights:
    """Return the running means, of the float arrays of the nodes that have them."""
    top = _group(group, "average", where)
    if top is None:
        return {}
    floats = {n: {k: a for k, a in arrays.items() if a.dtype == np.float32} for n, arrays in fresh.items()}
    return read_arrays(group, "average", where, {n: arrays for n, arrays in floats.items() if n in top})


def _optimiser(file: h5py.Group, where: str) -> Arrays:
    out: Arrays = {}
    top = _group(file, "optimiser", where)
    if top is None:
        return out
    for name in top:
        found = hdf5.member(top, name, where, ModelError)
        if isinstance(found, h5py.Group):
            out.update(
                {f"{name}/{key}": hdf5.array(found, key, where, ModelError, plain=True) for key in found}
            )
        else:
            out[name] = hdf5.array(top, name, where, ModelError, plain=True)
    return out
