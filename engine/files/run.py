"""The run file, written after every epoch: everything a run needs to go on, or to be exported.

HDF5, format 1:

    /                attrs polybit_format="run", version=1, epoch, finished, seal
    /plan, /input    as in a model (files/store.py)
    /weights/N/A     the latent array A of node N
    /optimiser/A/B   the optimiser's state
    /history         uint8: JSON, figures of every epoch
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py

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
        history: figures of every epoch, oldest first, and of the end.
    """

    project: Project
    weights: Weights
    optimiser: Arrays
    epoch: int
    finished: bool
    history: dict[str, Any] = field(default_factory=dict)

    def program(self) -> Program:
        """Return the model as it would be exported."""
        return Program(self.project.graph, packed(self.project.graph, self.weights))


def write_run(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`, whole or not at all."""
    with replacing(path) as part, hdf5.writing(part) as file:
        hdf5.write_attributes(file, polybit_format=FORMAT, version=VERSION)
        hdf5.write_attributes(file, epoch=checkpoint.epoch, finished=checkpoint.finished)
        write_project(file, checkpoint.project)
        write_arrays(file, "weights", checkpoint.weights)
        for key, value in checkpoint.optimiser.items():
            file.create_dataset(f"optimiser/{key}", data=value)
        write_text(file, "history", json.dumps(checkpoint.history))
        hdf5.write_seal(file)


def read_run(path: str | Path) -> Checkpoint:
    """Read what `write_run` wrote.

    Raises:
        ModelError: the file is not a run, is damaged, or was written by a newer program.
    """
    path = Path(path)
    where = path.name
    with hdf5.reading(path, ModelError) as file:
        check_format(file, path, FORMAT, VERSION)
        project = read_stored_project(file, where)
        check_graph(project.graph, file, where)
        weights = read_arrays(file, "weights", where, started(project.graph))
        epoch = hdf5.whole_attribute(file, "epoch")
        if epoch is None:
            raise ModelError("It does not say how many epochs are done.", where=where)
        history = read_json(file, "history", where)
        hdf5.check_seal(file, where, ModelError)
        return Checkpoint(project, weights, _optimiser(file, where), epoch, _finished(file), history)


def _finished(file: h5py.File) -> bool:
    return bool(hdf5.whole_attribute(file, "finished"))


def _optimiser(file: h5py.File, where: str) -> Arrays:
    out: Arrays = {}
    if "optimiser" not in file:
        return out
    top = hdf5.member(file, "optimiser", where, ModelError)
    if not isinstance(top, h5py.Group):
        raise ModelError("'optimiser' is not a group.", where=where)
    for name in top:
        found = hdf5.member(top, name, where, ModelError)
        if isinstance(found, h5py.Group):
            out.update(
                {f"{name}/{key}": hdf5.array(found, key, where, ModelError, plain=True) for key in found}
            )
        else:
            out[name] = hdf5.array(top, name, where, ModelError, plain=True)
    return out
