"""Our side of training: the run that `polybit train` makes, a batch at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...kernels.jit import spare_scipy
from ...train.loop import Run
from ...train.progress import BatchDone
from .. import networks
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of one optimiser step of a run of the network `job["network"]`."""
    layers = getattr(networks, job["network"])()
    steps = Run(networks.project(layers, Path(job["folder"])), threads=job["cores"]).steps()

    def step() -> None:
        while not isinstance(next(steps), BatchDone):
            pass

    return step


if __name__ == "__main__":
    spare_scipy()
    serve(make)
