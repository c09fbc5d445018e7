"""Exporters by suffix. A new format is one decorated function in a file of this room, imported here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import PolybitError
from ..options import Family
from .model import write_model
from .run import Checkpoint

Exporter = Callable[[Path, Checkpoint], None]
EXPORTERS: Family[Exporter] = Family("files.exporter", "Exporters")


@EXPORTERS.option(".h5", "Polybit model", formula="HDF5: plan, packed weights, labels, report")
def export_h5(path: Path, checkpoint: Checkpoint) -> None:
    """Write the packed model with the figures of its run."""
    write_model(path, checkpoint.program(), checkpoint.project, {"run": checkpoint.history.get("final", {})})


def export_run(checkpoint: Checkpoint, path: Path) -> None:
    """Write the model of a run in the format that the suffix of `path` names.

    Raises:
        PolybitError: there is no exporter for that suffix.
    """
    if path.suffix not in EXPORTERS:
        there = ", ".join(EXPORTERS)
        raise PolybitError(f"There is no exporter for {path.suffix or 'no suffix'!r}; there are {there}.")
    EXPORTERS.make(path.suffix)(path, checkpoint)
