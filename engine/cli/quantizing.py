"""The verb that quantizes a trained run without gradients."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import PolybitError
from ..files.project import SUFFIX, open_project
from ..files.run import read_run
from ..train.quantized import RECORDS, quantize_project, write_quantized
from ..train.quantizing import STEPS, Wanted
from .printing import note, percent, say, say_json, table


def quantize(options: argparse.Namespace) -> int:
    """Write a run of narrower widths and its project, and say what it costs in accuracy."""
    out = Path(options.out)
    project_path = out.with_suffix(SUFFIX)
    _check(options, out, project_path)
    run, project = read_run(options.run_file), open_project(options.project)
    wanted = Wanted(options.weights, options.activations, tuple(options.layer or ()), _steps(options.steps))
    found = quantize_project(project, run, wanted, options.records)
    if project_path.parent.resolve() != Path(options.project).parent.resolve():
        note("Its data paths are relative to the old folder: move it there, or its data beside it.")
    write_quantized(found, project, out)
    before, after, done = found.before, found.after, found.done
    figures = {"run": str(out), "project": str(project_path), "before": before, "after": after, "nodes": done}
    if options.json:
        say_json(figures)
        return 0
    table([("node", "what was done"), *((name, ", ".join(words)) for name, words in done.items())])
    say(f"Validation {percent(before)} as floats, {percent(after)} now. Wrote {out} and {project_path}.")
    say(f"Train it on with: polybit train {project_path} --out {out} --resume")
    return 0


def _steps(text: str) -> tuple[str, ...]:
    return tuple(key.strip() for key in text.split(",") if key.strip())


def _check(options: argparse.Namespace, out: Path, project: Path) -> None:
    if out.suffix != ".h5":
        raise PolybitError(f"A run is written to a file that ends in .h5; got {options.out!r}.")
    for read, written in ((options.run_file, out), (options.project, project)):
        if written.resolve() == Path(read).resolve():
            words = f"{read} is read here and would be written over."
            raise PolybitError(words, do="Choose another name for --out.")


def add_quantize(one: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    one.add_argument("project", help="project (.polybit) that the run was trained from")
    one.add_argument("run_file", help="run file (.h5) of float weights")
    one.add_argument("--out", required=True, help="run to write (.h5); its project is written beside it")
    one.add_argument("--weights", default="8", help="bits of the weights: 2, 3, 4 or 8 (default 8)")
    one.add_argument(
        "--activations", default="8", help="bits of the activations, or '' for floats (default 8)"
    )
    one.add_argument("--layer", action="append", help="only this layer; may be given again")
    words = f"training records looked at (default {RECORDS})"
    one.add_argument("--records", type=int, default=RECORDS, help=words)
    steps = ("equalize", *STEPS)
    words = f"which of {', '.join(steps)} (default all)"
    one.add_argument("--steps", default=",".join(steps), help=words)
