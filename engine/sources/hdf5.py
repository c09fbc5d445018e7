"""The HDF5 source. It follows no link out of the file and checks sizes before reading."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np

from ..errors import DataError
from ..fields import path as file_path
from ..fields import text
from ..ports import Array
from ..records import Header, Records
from ..source import Source
from . import texts_process
from .arrays import CLASSES, Named, records_of
from .opening import check_size, located, unreadable

# Filters that the library itself holds; any other would load a plug-in.
_FILTERS = {
    *(h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_SZIP),
    *(h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET, h5py.h5z.FILTER_LZF),
}
MOST_FACTS = 1024
_MOST_TEXT = 256 << 20
_MOST_CHARACTERS = 1000
_TOO_LONG = 3
SECONDS = 60  # for texts of varying length; a million of them take a few
# What h5py raises on files that are not what they say.
_BROKEN = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError, UnicodeError)


@dataclass(frozen=True)
class Hdf5File(Source):
    """Records from datasets of an HDF5 file (The HDF Group).

    The samples have one record a row, whatever axes follow. Labels are whole numbers or texts; a dataset
    `classes` beside the labels names them. Every other dataset beside the samples with one axis and one
    entry a record is a fact.

    Attributes:
        path: the file.
        samples: path of the dataset of samples within the file.
        labels: path of the dataset of labels; empty: the file has none.
    """

    kind: ClassVar[str] = "data.hdf5"
    title: ClassVar[str] = "HDF5 file"
    icon: ClassVar[str] = "ph.tree-structure"
    order: ClassVar[int] = 40
    summary: ClassVar[str] = "Datasets of an HDF5 file: samples of any shape, labels, facts"

    path: str = file_path("The HDF5 file", (".h5", ".hdf5"))
    samples: str = text("x", "Path of the dataset that holds one record a row")
    labels: str = text("y", "Path of the dataset of labels; left empty, the file has none")

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        place = located(folder, self.path)
        where = str(place)
        try:
            file = h5py.File(place, "r")
        except OSError as error:
            if isinstance(error, PermissionError):
                raise unreadable(error, where) from error
            raise DataError("The file is not a whole HDF5 file.", where=where) from error
        try:
            with file:
                named = self._named(file, where, with_labels=header is None)
        except _BROKEN as error:
            raise DataError("The HDF5 file is broken.", where=where) from error
        return records_of(named, header)

    def _named(self, file: h5py.File, where: str, *, with_labels: bool) -> Named:
        samples = _dataset(file, self.samples, where)
        labels = _dataset(file, self.labels, where) if self.labels else None
        classes = _dataset(file, _beside(self.labels, CLASSES), where) if self.labels else None
        for role, dataset, key in (("samples", samples, self.samples), ("labels", labels, self.labels)):
            if dataset is None and (role == "samples" or (with_labels and key)):
                words = f"There is no dataset {key!r} for the {role}; there are {_there(file)}."
                raise DataError(words, where=where, do=f"Set {role.capitalize()} to one of them.")
        if samples is None or not samples.shape:
            raise DataError(f"The dataset {self.samples!r} is a single value.", where=where)
        facts = self._facts(file, samples, where)
        y, names = (None if d is None else _read(d, where) for d in (labels, classes))
        return Named(where, _read(samples, where), y, names, facts)

    def _facts(self, file: h5py.File, samples: h5py.Dataset, where: str) -> dict[str, Array]:
        taken = {_bare(self.samples), _bare(self.labels), _bare(_beside(self.labels, CLASSES))}
        folder = file[_beside(self.samples, "")] if _beside(self.samples, "") else file
        found: dict[str, h5py.Dataset] = {}
        for name in list(folder)[:MOST_FACTS]:
            path = _bare(_beside(self.samples, name))
            if path in taken or not isinstance(folder.get(name, getlink=True), h5py.HardLink):
                continue
            entry = folder.get(name)
            if isinstance(entry, h5py.Dataset) and entry.shape == samples.shape[:1] and _is_plain(entry):
                found[name] = entry
        declared = sum(entry.size * entry.dtype.itemsize for entry in found.values())
        stored = sum(entry.id.get_storage_size() for entry in found.values())
        check_size(f"{where}, facts", (declared,), 1, stored)
        return {name: _read(entry, where) for name, entry in found.items()}


def _dataset(file: h5py.File, path: str, where: str) -> h5py.Dataset | None:
    """Return a dataset of this very file, or None where there is none at `path`.

    Raises:
        DataError: the way there leads over a link, or what is there is not a dataset of the file itself.
    """
    here: Any = file
    for part in [p for p in path.split("/") if p]:
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) and part in here else None
        if link is None and (not isinstance(here, h5py.Group) or here.get(part, None, getlink=True) is None):
            return None
        if not isinstance(link, h5py.HardLink):
            words = f"{path!r} is a link, which could lead out of the file."
            raise DataError(words, where=where, do="Store the dataset itself.")
        here = here[part]
    if not isinstance(here, h5py.Dataset):
        return None
    if here.is_virtual or here.external:
        words = f"The dataset {path!r} keeps its values in other files."
        raise DataError(words, where=where, do="Store them in the file itself.")
    return here


def _is_plain(dataset: h5py.Dataset) -> bool:
    kind = dataset.dtype.kind
    return kind in "buifS" or h5py.check_string_dtype(dataset.dtype) is not None


def _read(dataset: h5py.Dataset, where: str) -> Array:
    """Return the values of a dataset, texts as NumPy texts, once its size is known to be sane."""
    place = f"{where}, dataset {dataset.name!r}"
    if dataset.is_virtual or dataset.external:
        words = "It keeps its values in other files."
        raise DataError(words, where=place, do="Store them in the file itself.")
    if dataset.shape is None or not _is_plain(dataset):
        raise DataError(f"It holds {dataset.dtype}; numbers and texts are read.", where=place)
    made = dataset.id.get_create_plist()
    for i in range(made.get_nfilters()):
        if made.get_filter(i)[0] not in _FILTERS:
            words = f"It is compressed by a filter ({made.get_filter(i)[0]}) that is not part of HDF5."
            raise DataError(words, where=place, do="Store it with gzip.")
    check_size(place, dataset.shape, dataset.dtype.itemsize, dataset.id.get_storage_size())
    if h5py.check_string_dtype(dataset.dtype) is None:
        return np.asarray(dataset[()])
    if len(dataset.shape) != 1:
        raise DataError(f"Texts must have one axis; there are {len(dataset.shape)}.", where=place)
    return np.array(_texts(dataset, place), dtype=np.str_)


def _texts(dataset: h5py.Dataset, where: str) -> list[str]:
    """Return texts: those of a fixed length straight, others through a process that can be killed."""
    if dataset.dtype.kind == "S":
        return [str(entry) for entry in dataset.asstr(errors="replace")[()]]
    limits = [str(_MOST_CHARACTERS), str(_MOST_TEXT)]
    command = [sys.executable, "-P", str(Path(texts_process.__file__)), dataset.file.filename, dataset.name]
    try:
        done = subprocess.run([*command, *limits], capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        words = f"Its texts could not be read within {SECONDS} seconds."
        do = "The file may be damaged: store texts of a fixed length, such as NumPy's bytes."
        raise DataError(words, where=where, do=do) from error
    if done.returncode == _TOO_LONG:
        words = f"Its texts are longer than {_MOST_CHARACTERS} characters, or {_MOST_TEXT} in all."
        raise DataError(words, where=where)
    if done.returncode:
        raise DataError("Its texts cannot be read; the file is damaged.", where=where)
    return [str(text) for text in json.loads(done.stdout)]


def _beside(path: str, name: str) -> str:
    folder = path.rpartition("/")[0]
    return f"{folder}/{name}" if folder and name else folder or name


def _bare(path: str) -> str:
    return "/".join(part for part in path.split("/") if part)


def _there(file: h5py.File) -> str:
    found = [name for name in list(file)[:20] if isinstance(file.get(name, getlink=True), h5py.HardLink)]
    return ", ".join(found) or "none"
