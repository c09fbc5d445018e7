"""What every data source is: a node that reads records from a file of one format.

A new reader is one file in `sources/` with one class that derives from `Source` and states `load`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from .errors import DataError
from .fields import hidden
from .node import Family, Node, Predictor, ShapeError, Specs
from .ports import Arrays, Port, Spec
from .records import Header, Records

SAMPLES = Port("samples", ("real",), "The records, one row each")
LABELS = Port("labels", ("labels",), "The class of each record")
FACTS = Port("facts", ("facts",), "Named columns that rules can speak of")


@dataclass(frozen=True)
class Source(Node):
    """Base of the data sources.

    Attributes:
        header: what was found in the file, filled by `probe`; None until then.
    """

    family: ClassVar[Family] = "data"
    outputs: ClassVar[tuple[Port, ...]] = (SAMPLES, LABELS, FACTS)
    path_field: ClassVar[str] = "path"

    header: Header | None = hidden(None)

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        """Read the file, relative to `folder`.

        With a `header` (of the data the graph was built on) the records come back encoded by it: the same
        columns, categories and class order, whatever this file holds; without one the header is found out.

        Raises:
            DataError: the file is missing, broken, hostile, or does not hold what the header needs.
        """
        raise NotImplementedError

    def probe(self, folder: Path) -> Self:
        """Return this node with its header filled from its file."""
        return replace(self, header=self.load(folder, None)[0])

    def read(self, folder: Path) -> Records:
        """Return the records of the file, encoded by the header."""
        return self.load(folder, self.header)[1]

    def specs(self, *inputs: Spec | None) -> Specs:
        if self.header is None:
            raise ShapeError(
                "The data file has not been read.", do="Choose a file.", parameter=self.path_field
            )
        h = self.header
        return (
            Spec("real", h.shape),
            Spec("labels", (), classes=h.classes, several=h.several or None),
            Spec("facts", (len(h.columns),), columns=h.columns),
        )

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        raise DataError(f"{self.title} gives records and cannot be asked to predict.")

    def rows(self) -> tuple[tuple[str, str], ...]:
        if self.header is None:
            return (("File", "none chosen"),)
        shape = " × ".join(str(s) for s in self.header.shape)
        return (("Records", f"{self.header.records:,}".replace(",", "\u202f")), ("Shape", shape))
