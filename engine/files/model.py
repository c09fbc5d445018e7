"""The exported model: HDF5, format 1 (written down for other languages in resources/help/model-format.md).

/            attrs polybit_format="model", version=1, project_hash, seal
/plan        uint8: the project as JSON text, graph and rules included
/packs       uint8: JSON, by node and key: the files of the domain packs its rules take; only if they do
/input       uint8: JSON, by data source: shape, classes, columns, encoding
/labels      uint8: JSON list of the class names
/weights/N/A the packed array A of node N, contiguous and unfiltered
/report      uint8: JSON, figures at export
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import hdf5
from ..errors import ModelError
from ..estimate import estimate
from ..runtime.program import Program
from .atomic import replacing
from .project import Project, project_text
from .run import FORMAT as RUN_FORMAT
from .run import read_run
from .store import (
    check_format,
    check_graph,
    packed,
    read_arrays,
    read_json,
    read_stored_project,
    read_texts,
    started,
    write_arrays,
    write_project,
    write_text,
    write_texts,
)

FORMAT, VERSION = "model", 1


def write_model(
    path: str | Path, program: Program, project: Project, report: dict[str, Any] | None = None
) -> None:
    """Write `program`, trained from `project`, to `path`, whole or not at all.

    Args:
        path: where to.
        program: what it predicts with.
        project: where it comes from; its graph is replaced by the program's.
        report: metrics to keep beside the counted figures.
    """
    path = Path(path)
    project = replace(project, graph=program.graph)
    total = estimate(program.graph).total
    figures = {
        "weight_bytes": total.weight_bytes,
        "operations": total.operations,
        "energy_pj": total.energy_pj,
    }
    with replacing(path) as part, hdf5.writing(part) as file:
        digest = hashlib.sha256(project_text(project).encode()).hexdigest()
        hdf5.write_attributes(file, polybit_format=FORMAT, version=VERSION, project_hash=digest)
        write_project(file, project)
        write_texts(file, project.graph)
        write_text(file, "labels", json.dumps(list(program.classes), ensure_ascii=False))
        write_text(file, "report", json.dumps({"counted": figures, **(report or {})}))
        write_arrays(file, "weights", program.packed)
        hdf5.write_seal(file)


def load_model(path: str | Path) -> Program:
    """Read an exported model.

    Args:
        path: the file that `polybit export` or `write_model` wrote.

    Returns:
        the program; `program.predict(samples)` gives class indices, int64 (n,).

    Raises:
        ModelError: the file is not a model, is damaged, or was written by a newer program.
    """
    path = Path(path)
    with hdf5.reading(path, ModelError) as file:
        check_format(file, path, FORMAT, VERSION)
        graph = read_texts(file, read_stored_project(file, path.name).graph, path.name)
        check_graph(graph, file, path.name)
        weights = read_arrays(file, "weights", path.name, packed(graph, started(graph)), graph)
        hdf5.check_seal(file, path.name, ModelError)
        return Program(graph, weights)


def read_report(path: str | Path) -> dict[str, Any]:
    """Return the figures that were kept when the model was exported."""
    path = Path(path)
    with hdf5.reading(path, ModelError) as file:
        check_format(file, path, FORMAT, VERSION)
        return read_json(file, "report", path.name)


def load_program(path: str | Path) -> Program:
    """Return the program of a model file, or of a run file as it would be exported now."""
    path = Path(path)
    with hdf5.reading(path, ModelError) as file:
        kind = hdf5.text_attribute(file, "polybit_format")
    return read_run(path).program() if kind == RUN_FORMAT else load_model(path)
