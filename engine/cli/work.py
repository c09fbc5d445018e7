"""The verbs that work: train, export, evaluate, predict."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import override, read_all
from ..errors import DataError, PolybitError
from ..fields import Fields
from ..files.atomic import keep_apart
from ..files.exporters import export_run
from ..files.model import load_program
from ..files.predictions import write_predictions
from ..files.project import Project, open_project, probed
from ..files.run import read_run
from ..guard import Agreement
from ..label_sets import held
from ..records import Records
from ..runtime.answer import Answer
from ..runtime.program import Program
from ..source import Source
from ..train.loop import train
from ..train.progress import LABELS, EpochDone, Finished, StageStarted
from ..train.resume import resumed
from ..violations import agreement
from .printing import note, percent, plural, say, say_json, table
from .stopping import heed


def train_project(options: argparse.Namespace) -> int:
    """Train a project, printing a line an epoch."""
    project = _project(options)
    out = Path(options.out)
    if out.suffix != ".h5":
        words = f"A run is written to a file that ends in .h5; got {options.out!r}."
        raise PolybitError(words)
    keep_apart(out, options.project, *_data_files(project))
    for words in project.notes:
        note(words)
    resume = resumed(project, out) if options.resume and out.exists() else None
    for record in train(project, out, threads=options.threads, resume=resume):
        heed()
        if isinstance(record, StageStarted) and not options.json:
            note(f"{record.words} ...")
        elif isinstance(record, EpochDone) and not options.json:
            say(_epoch_line(record))
        elif isinstance(record, Finished):
            _say_finished(record, json=options.json)
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the model of a run."""
    path = Path(options.out)
    keep_apart(path, options.run_file)
    export_run(read_run(options.run_file), path)
    done = {"model": str(path), "bytes": path.stat().st_size}
    if options.json:
        say_json(done)
    else:
        say(f"Wrote {path} ({done['bytes']:,} bytes).")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Print accuracy by class, and rule violations before and after repair."""
    program, records = _model_and_records(options)
    known = records.labels >= 0
    if not known.any():
        words = f"{options.data} has no labels, which evaluate needs."
        raise DataError(words, do="Give a file with labels, or use predict.")
    records = records.take(np.flatnonzero(known))
    answer = program.answer(records)
    figures = _evaluation(answer, records.labels)
    if answer.rules:
        figures |= _guarded(program, records, answer)
    if options.json:
        say_json(figures)
        return 0
    rows = [("label" if answer.several else "class", "records", "right", "accuracy")]
    for name, entry in figures["classes"].items():
        rows.append((name, str(entry["records"]), str(entry["right"]), percent(entry["accuracy"])))
    table(rows)
    if answer.several:
        by_label, raw = percent(figures["label_accuracy"]), percent(figures["label_accuracy_raw"])
        say(f"Label by label {by_label} ({raw} before the rules); below, records right in every label.")
    say(f"Accuracy {percent(figures['accuracy'])} ({percent(figures['accuracy_raw'])} before the rules).")
    broke = plural(figures["violations_raw"], "answer")
    say(f"{broke} broke a rule before repair, {figures['violations']} after.")
    for line in _how(figures):
        say(line)
    return 0


def predict(options: argparse.Namespace) -> int:
    """Write labels, scores, repaired labels and broken rules of every record."""
    keep_apart(Path(options.out), options.model, options.data)
    program, records = _model_and_records(options)
    answer = program.answer(records)
    write_predictions(Path(options.out), answer)
    done = {"out": options.out, "records": len(records), "violations_raw": answer.violations_raw}
    done["violations"] = answer.violations
    if answer.rules:
        done |= _counted(answer)
    if options.json:
        say_json(done)
    else:
        repaired = plural(answer.violations_raw, "answer")
        say(f"Wrote {plural(len(records), 'prediction')} to {options.out}; {repaired} repaired.")
        for line in _how(done):
            say(line)
    return 0


def _counted(answer: Answer) -> dict[str, Any]:
    """Return how many answers have which status, and which engine gave how many."""

    def counts(words: Any) -> dict[str, int]:
        found, times = np.unique(words[words != ""], return_counts=True)
        return dict(zip(found.tolist(), times.tolist(), strict=True))

    return {"status": counts(answer.status), "engine": counts(answer.engine)}


def _guarded(program: Program, records: Records, answer: Answer) -> dict[str, Any]:
    """Return the counts and, where one class is guarded, how often RC2 agrees on a sample."""
    told = _counted(answer)
    agreed = agreement(program, records)
    if agreed:
        told["rc2"] = agreed.figures()
    return told


def _how(figures: dict[str, Any]) -> list[str]:
    lines = []
    for key, head in (("status", "Answers"), ("engine", "Decided by")):
        if figures.get(key):
            lines.append(f"{head}: {', '.join(f'{name} {count:,}' for name, count in figures[key].items())}.")
    if "rc2" in figures:
        lines.append(Agreement(*figures["rc2"].values()).words())
    return lines


def _model_and_records(options: argparse.Namespace) -> tuple[Program, Records]:
    program = load_program(options.model)
    records = read_all(override(program.graph, Path(options.data)), Path.cwd())
    for words in records.notes:
        note(words)
    return program, records


def _project(options: argparse.Namespace) -> Project:
    project = open_project(options.project, probe=options.data is None)
    if options.data is not None:
        project = probed(replace(project, graph=override(project.graph, Path(options.data))))
        if project.notes:
            raise DataError(project.notes[0])
    given = {k: getattr(options, k) for k in ("epochs", "seed") if getattr(options, k) is not None}
    return replace(project, training=replace(project.training, **given)) if given else project


def _data_files(project: Project) -> list[Path]:
    """Return the files that the data sources and the training settings of a project read."""
    nodes = [placed.node for placed in project.graph.nodes.values() if isinstance(placed.node, Source)]
    readers: list[Fields] = [*nodes, project.training]
    named = [(one, key) for one in readers for key, about in one.about().items() if about.form == "path"]
    return [project.folder / value for one, key in named if (value := getattr(one, key))]


def _epoch_line(done: EpochDone) -> str:
    loss = "" if np.isnan(done.loss) else f"  loss {done.loss:.4f}"
    # What a stage of floats computes is not what the packed model does: both are said.
    own = "" if np.isnan(done.own_accuracy) else f" ({percent(done.own_accuracy)} as it is trained now)"
    labels = [f"  {percent(v)} of labels" for k, v in done.metrics.items() if k.endswith(f": {LABELS}")]
    own += "".join(labels)
    part = f"  {done.part}" if done.part and done.stage == "gradient" else ""
    return (
        f"{done.stage} {done.epoch}/{done.epochs}{loss}  train {percent(done.train_accuracy)}"
        f"  validation {percent(done.accuracy)}{own}  {done.seconds:.1f} s{part}"
    )


def _say_finished(done: Finished, *, json: bool) -> None:
    figures: dict[str, Any] = {
        "accuracy": done.accuracy,
        "accuracy_raw": done.accuracy_raw,
        "validation_accuracy": done.validation_accuracy,
        "violations_raw": done.violations_raw,
        "violations": done.violations,
        "seconds": done.seconds,
        "run": done.checkpoint,
    }
    several = not np.isnan(done.label_accuracy)
    if several:
        figures["label_accuracy"] = done.label_accuracy
    if json:
        say_json(figures)
        return
    say(
        f"Test accuracy {percent(done.accuracy)} ({percent(done.accuracy_raw)} before the rules)"
        f"{f', label by label {percent(done.label_accuracy)}' if several else ''}; "
        f"{plural(done.violations_raw, 'answer')} broke a rule before repair, {done.violations} after. "
        f"Took {done.seconds:.1f} s, kept in {done.checkpoint}."
    )


def _evaluation(answer: Answer, labels: Any) -> dict[str, Any]:
    right = answer.labels == labels
    classes = {}
    for i, name in enumerate(() if answer.several else answer.classes):
        mine = labels == i
        count = int(mine.sum())
        hits = int(right[mine].sum())
        classes[name] = {"records": count, "right": hits, "accuracy": hits / count if count else 0.0}
    by_label: dict[str, Any] = {}
    if answer.several:
        classes, by_label = _by_label(answer, labels)
    return {
        "accuracy": float(right.mean()),
        "accuracy_raw": float((answer.raw_labels == labels).mean()),
        **by_label,
        "violations_raw": answer.violations_raw,
        "violations": answer.violations,
        "unanswered": int((answer.labels < 0).sum()),
        "records": len(labels),
        "classes": classes,
        "rules": {name: int(answer.broken[:, i].sum()) for i, name in enumerate(answer.rules)},
    }


def _by_label(answer: Answer, labels: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of each of several labels, and those of all of them together.

    A label's `records` have it; `right` counts all records that have it or not as they are answered.
    """
    true = held(labels, len(answer.classes))
    right, raw = answer.held == true, answer.raw_held == true
    rows = {
        name: {
            "records": int(true[:, i].sum()),
            "right": int(right[:, i].sum()),
            "accuracy": float(right[:, i].mean()),
            "missed": int((true & ~right)[:, i].sum()),
            "wrongly_said": int((~true & ~right)[:, i].sum()),
        }
        for i, name in enumerate(answer.classes)
    }
    return rows, {"label_accuracy": float(right.mean()), "label_accuracy_raw": float(raw.mean())}
