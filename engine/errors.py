"""What a user can do wrong, each with a sentence: what is wrong, where, why it matters, what to do.

Programming mistakes stay ValueError or AssertionError. The window and the command line show `str(error)`
unchanged, so a message here is written for the person who made the file or drew the graph.
"""

from __future__ import annotations


class PolybitError(Exception):
    """Base of every error that a user can cause and read.

    Attributes:
        what: what is wrong, as a sentence.
        where: the file, line, column, key, node or port at fault.
        why: why it matters, where that is not plain.
        do: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", do: str = "") -> None:
        super().__init__(what, where, why, do)
        self.what, self.where, self.why, self.do = what, where, why, do

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return " ".join(part for part in (head, self.why, self.do) if part)

    def at(self, where: str) -> PolybitError:
        """Return the same error with `where` put before the place it already names."""
        place = f"{where}, {self.where}" if self.where else where
        return type(self)(self.what, where=place, why=self.why, do=self.do)


class FieldError(PolybitError):
    """A parameter has a value it cannot have."""


class GraphError(PolybitError):
    """The graph cannot be what was asked: a wire that does not fit, a node that is not there."""


class ProjectError(PolybitError):
    """A project file is broken, is not ours, or was written by a newer program."""


class DataError(PolybitError):
    """A data file is missing, broken, hostile, or does not hold what the graph needs."""


class ModelError(PolybitError):
    """A model or run file is broken, is not ours, or was written by a newer program."""


class RuleError(PolybitError):
    """A rule cannot be read, or names something that is not there."""


class SolverError(PolybitError):
    """The solver process stopped answering or could not be started."""


class TrainError(PolybitError):
    """A project cannot be trained as it stands."""
