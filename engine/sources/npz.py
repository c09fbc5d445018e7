"""The NumPy archive source. Nothing in the archive is unpickled, and sizes are checked before reading."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, ClassVar, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ..errors import DataError
from ..fields import path as file_path
from ..fields import text
from ..ports import Array
from ..records import Header, Records
from ..source import Source
from .arrays import CLASSES, Named, records_of
from .opening import check_size, located

MOST_ARRAYS = 4096
_PLAIN = "buifSU"
# What zipfile, zlib and NumPy raise on files that are not what they say.
_BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError),
    *(NotImplementedError, OverflowError, SyntaxError, TypeError, KeyError, IndexError, MemoryError),
)


class _Stored(NamedTuple):
    """One array of an archive, known by its header alone."""

    member: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    begin: int  # bytes of the header


@dataclass(frozen=True)
class NumpyArchive(Source):
    """Records from the arrays of a .npz file (numpy.savez, NEP 1 array format in a zip).

    The samples have one record a row, whatever axes follow. Labels are whole numbers or texts; an array
    `classes` names them. Every other array with one axis and one entry a record is a fact.

    Attributes:
        path: the file.
        samples: name of the array of samples.
        labels: name of the array of labels; empty: the file has none.
    """

    kind: ClassVar[str] = "data.npz"
    title: ClassVar[str] = "NumPy archive"
    icon: ClassVar[str] = "ph.stack"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = "Arrays of a .npz file: samples of any shape, labels, facts"

    path: str = file_path("The archive, as numpy.savez writes it", (".npz",))
    samples: str = text("x", "Name of the array that holds one record a row")
    labels: str = text("y", "Name of the array of labels; left empty, the file has none")

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        place = located(folder, self.path)
        try:
            with zipfile.ZipFile(place) as archive:
                named = self._named(archive, str(place), with_labels=header is None)
        except _BROKEN as error:
            raise DataError("The file is not a whole NumPy archive.", where=str(place)) from error
        return records_of(named, header)

    def _named(self, archive: zipfile.ZipFile, where: str, *, with_labels: bool) -> Named:
        stored = _contents(archive, where)
        there = ", ".join(list(stored)[:20]) or "none"
        wanted = {"samples": self.samples, **({"labels": self.labels} if with_labels and self.labels else {})}
        for role, key in wanted.items():
            if key not in stored:
                words = f"There is no array {key!r} for the {role}; there are {there}."
                raise DataError(words, where=where, do=f"Set {role.capitalize()} to one of them.")
        samples = stored[self.samples]
        if not samples.shape:
            raise DataError(f"The array {self.samples!r} is a single number.", where=where)
        n = samples.shape[0]

        def read(key: str) -> Array | None:
            return _read(archive, stored[key], where) if key in stored else None

        taken = (self.samples, self.labels, CLASSES)
        beside = {
            k: e for k, e in stored.items() if k not in taken and e.shape == (n,) and e.dtype.kind in _PLAIN
        }
        declared = sum(n * entry.dtype.itemsize for entry in beside.values())
        packed = sum(entry.member.compress_size for entry in beside.values())
        check_size(f"{where}, facts", (declared,), 1, packed)
        facts = {key: _read(archive, entry, where) for key, entry in beside.items()}
        labels = read(self.labels) if self.labels else None
        return Named(where, _read(archive, samples, where), labels, read(CLASSES), facts)


def _contents(archive: zipfile.ZipFile, where: str) -> dict[str, _Stored]:
    """Return the arrays of an archive by name, from their headers alone."""
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        words = f"The archive holds {len(members)} files; at most {MOST_ARRAYS} are read."
        raise DataError(words, where=where)
    out = {}
    for member in members:
        if member.filename.endswith(".npy"):
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as file:
                out[name] = _Stored(member, *_header(file, f"{where}, array {name!r}"))
    return out


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"The array has format version {version}; 1.0 and 2.0 are read.", where=where)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if any(axis < 0 for axis in shape):
        raise DataError(f"The array has the shape {shape}.", where=where)
    return shape, dtype, file.tell()


def _read(archive: zipfile.ZipFile, stored: _Stored, where: str) -> Array:
    member, shape, dtype, begin = stored
    place = f"{where}, array {member.filename.removesuffix('.npy')!r}"
    if dtype.hasobject or dtype.kind not in _PLAIN:
        words = f"The array holds {dtype.name}; numbers and texts are read."
        raise DataError(words, where=place, why="Python objects could run code.")
    check_size(place, shape, max(dtype.itemsize, 1), member.compress_size)
    size, held = prod(shape) * dtype.itemsize, member.file_size - begin
    if size != held:
        raise DataError(f"The shape {shape} needs {size} bytes; the array holds {held}.", where=place)
    with archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))
