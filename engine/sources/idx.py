"""The IDX source: the format of MNIST, plain or in gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar, cast

import numpy as np

from ..errors import DataError
from ..fields import path as file_path
from ..ports import Array
from ..records import Header, Records
from ..source import Source
from .arrays import Named, records_of
from .opening import check_size, located, unreadable

SUFFIXES = (".gz", ".idx", "-ubyte")
_KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_AXES = 8
_PIECE = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True)
class IdxImages(Source):
    """Records from IDX files, the format of MNIST (Y. LeCun, C. Cortes, C. J. C. Burges).

    Two zero bytes, one byte for the kind of number, one for the count of axes, each axis as a big-endian
    32-bit number, then the numbers, big-endian.

    Attributes:
        images: the file of samples, plain or in gzip.
        labels: the file of labels; empty: the one of the standard name beside the images, if it is there.
    """

    kind: ClassVar[str] = "data.idx"
    title: ClassVar[str] = "IDX images"
    icon: ClassVar[str] = "ph.image-square"
    order: ClassVar[int] = 30
    summary: ClassVar[str] = "Images and labels in the files of MNIST, plain or in gzip"
    path_field: ClassVar[str] = "images"

    images: str = file_path("The images, such as train-images-idx3-ubyte.gz", SUFFIXES)
    labels: str = file_path("The labels; left empty, the file named alike beside the images", SUFFIXES)

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        place = located(folder, self.images, what="images file")
        images = read_idx(place)
        beside = labels_beside(place)
        labels: Array | None = None
        notes: tuple[str, ...] = ()
        if self.labels:
            labels = _labels(located(folder, self.labels, what="labels file"))
        elif beside:
            labels, notes = _labels(beside), (f"Labels are read from {beside.name}, beside the images.",)
        found, records = records_of(Named(str(place), images, labels), header)
        return found, Records(records.samples, records.labels, records.facts, (*notes, *records.notes))


def labels_beside(images: Path) -> Path | None:
    """Return the labels file of the standard name beside `images`, or None where there is none."""
    swapped = images.name.replace("images", "labels").replace("idx3", "idx1")
    bare = swapped.removesuffix(".gz")
    found = (images.with_name(name) for name in (swapped, bare, f"{bare}.gz"))
    return next((place for place in found if place.name != images.name and place.is_file()), None)


def read_idx(path: Path) -> Array:
    """Return the array of an IDX file.

    Raises:
        DataError: the file is no IDX file, is cut off or too long, or is too large for memory.
    """
    return _opened(path, lambda file, packed: _array(file, path.stat().st_size, str(path), packed=packed))


def idx_shape(path: Path) -> tuple[int, ...]:
    """Return the shape that an IDX file says its array has; the array itself is not read.

    Raises:
        DataError: the file is no IDX file.
    """
    return _opened(path, lambda file, packed: _head(file, str(path))[1])


def _opened(path: Path, read: Callable[[IO[bytes], bool], T]) -> T:
    """Return what `read` makes of a file, told whether it is packed."""
    where = str(path)
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
            return read(file, packed)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError("The gzip file is broken or cut off.", where=where, do="Fetch it again.") from error
    except OSError as error:
        raise unreadable(error, where) from error


def _array(file: IO[bytes], stored: int, where: str, *, packed: bool) -> Array:
    dtype, shape = _head(file, where)
    check_size(where, shape, dtype.itemsize, stored)
    size = prod(shape) * dtype.itemsize
    head = 4 + 4 * len(shape)
    if not packed and stored != head + size:
        words = f"The shape {shape} needs {size} bytes; the file holds {stored - head}."
        raise DataError(words, where=where)
    data = _exactly(file, size, where)
    if file.read(1):
        raise DataError(f"The file goes on after the {size} bytes that its shape {shape} needs.", where=where)
    return np.frombuffer(data, dtype).reshape(shape)


def _head(file: IO[bytes], where: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = _exactly(file, 4, where)
    if magic[:2] != b"\0\0" or magic[2] not in _KINDS or not 1 <= magic[3] <= _AXES:
        raise DataError(f"It is no IDX file: it begins with {magic.hex(' ')}.", where=where)
    shape = tuple(int(axis) for axis in np.frombuffer(_exactly(file, 4 * magic[3], where), ">u4"))
    return np.dtype(_KINDS[magic[2]]), shape


def _exactly(file: IO[bytes], size: int, where: str) -> bytearray:
    """Return `size` bytes; memory grows only as they really come."""
    data = bytearray()
    while len(data) < size:
        piece = file.read(min(_PIECE, size - len(data)))
        if not piece:
            raise DataError(f"The file is cut off: {size} bytes were due, {len(data)} came.", where=where)
        data += piece
    return data


def _labels(path: Path) -> Array:
    labels = read_idx(path)
    if labels.ndim != 1:
        raise DataError(f"Labels must have one axis; the file has {labels.ndim}.", where=str(path))
    return labels
