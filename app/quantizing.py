"""Quantizing a run in a thread beside the window. The last record is always `Stopped`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.line import carry_out
from engine.files.project import Project
from engine.files.run import read_run
from engine.train.progress import StageStarted, Stopped
from engine.train.quantized import Quantized, quantize_project, write_quantized
from engine.train.quantizing import Wanted

GIVEN_UP = "given up"  # why the work ended where it was asked to


@dataclass(frozen=True)
class QuantizedRun:
    """A run that was quantized and written.

    Attributes:
        wanted: its widths.
        found: what came of it, with the accuracies before and after.
        project: the project that was written; its run is beside it.
    """

    wanted: Wanted
    found: Quantized
    project: Path

    @property
    def title(self) -> str:
        """Return its widths in words."""
        return widths_title(self.wanted)


class _GivenUpError(Exception):
    """The work is asked to end."""


def widths_title(wanted: Wanted) -> str:
    """Return widths in words."""
    if wanted.weights == wanted.activations:
        return f"{wanted.weights}-bit weights and activations"
    other = f"{wanted.activations}-bit activations" if wanted.activations else "float activations"
    return f"{wanted.weights}-bit weights, {other}"


def quantize_beside(
    project: Project,
    run_file: Path,
    wanted: Wanted,
    out: tuple[Path, Path],
    stop: threading.Event,
    say: Callable[[Any], None],
) -> None:
    """Quantize the run of a project into `out`, another project and its run, and say so."""

    def told(_share: float, words: str) -> None:
        if stop.is_set():
            raise _GivenUpError
        say(StageStarted("prepare", words))

    def work() -> str:
        try:
            found = quantize_project(project, read_run(run_file), wanted, told=told)
        except _GivenUpError:
            return GIVEN_UP
        if stop.is_set():
            return GIVEN_UP
        say(QuantizedRun(wanted, found, write_quantized(found, project, out[1], beside=out[0])))
        return "quantized"

    carry_out(work, lambda why: say(Stopped(why, 0)))
