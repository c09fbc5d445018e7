"""HDF5 files from strangers: no link is followed out of the file, no memory taken before it is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from .errors import PolybitError
from .ports import Array

_DEEPEST = 4  # groups in groups of our own files
LARGEST_ARRAY = 8 * 2**30  # bytes


@contextmanager
def reading(path: Path, error: type[PolybitError]) -> Iterator[h5py.File]:
    """Open `path` for reading; whatever HDF5 finds wrong with it is raised as `error` with a sentence."""
    if path.is_dir():
        raise error("This is a folder, not a file.", where=str(path), do="Choose a file.")
    if not path.is_file():
        raise error("There is no such file.", where=str(path), do="Check the path.")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except PolybitError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as problem:
        words = f"It cannot be read as HDF5: {_first_line(problem)}."
        raise error(words, where=path.name, do="It may be cut short or of another format.") from problem


def member(group: h5py.Group, name: str, where: str, error: type[PolybitError]) -> h5py.Group | h5py.Dataset:
    """Return what `name` is in `group`, when it lies in this very file.

    Raises:
        PolybitError: of the class `error`: it is missing, a link elsewhere, stored elsewhere, or virtual.
    """
    link = group.get(name, getlink=True)
    if link is None:
        raise error(f"It has no {name!r} in {group.name!r}.", where=where)
    if not isinstance(link, h5py.HardLink):
        words = f"{name!r} in {group.name!r} is a link; links are not followed."
        raise error(words, where=where, do="Copy the data into the file.")
    found = group[name]
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        words = f"{name!r} keeps its data in another file, which is not opened."
        raise error(words, where=where, do="Copy the data into the file.")
    return found


def array(
    group: h5py.Group,
    name: str,
    where: str,
    error: type[PolybitError],
    *,
    kinds: str = "fiub",
    plain: bool = False,
) -> Array:
    """Return the dataset `name` of `group`, checked before memory is taken.

    Args:
        group: where it lies.
        name: its name there.
        where: the file, for messages.
        error: the class of the errors raised.
        kinds: the NumPy kinds of dtype that are taken.
        plain: whether it must be stored contiguous and unfiltered, as our own files are; its bytes are then
            all in the file, and no small file can ask for much memory.
    """
    found = member(group, name, where, error)
    if not isinstance(found, h5py.Dataset):
        raise error(f"{name!r} in {group.name!r} is a group, not an array.", where=where)
    if found.dtype.kind not in kinds or found.dtype.hasobject:
        raise error(f"{name!r} has the type {found.dtype}, which is not a number.", where=where)
    if found.shape is None:
        raise error(f"{name!r} is empty.", where=where)
    size = int(np.prod(found.shape, dtype=object)) * found.dtype.itemsize
    if size > LARGEST_ARRAY:
        raise error(f"{name!r} wants {size >> 20:,} MiB of memory, more than is taken.", where=where)
    if plain and found.id.get_storage_size() != size:
        raise error(f"{name!r} is not stored plainly: {size:,} bytes are claimed.", where=where)
    return np.asarray(found[()])


@contextmanager
def writing(path: Path) -> Iterator[h5py.File]:
    """Give a file to fill that is kept in memory and written to `path` at the end, by one plain write.

    HDF5 itself is not let near the disk: where that is full it cannot close its file, and takes the process
    down with it.
    """
    with h5py.File(str(path), "w", driver="core", backing_store=False) as file:
        yield file
        file.flush()
        image = file.id.get_file_image()
    path.write_bytes(image)


def write_seal(file: h5py.File) -> None:
    """Store the SHA-256 of all that was written, so that `check_seal` can tell damage from data."""
    file.flush()
    write_attributes(file, seal=_digest(file, file.filename, PolybitError))


def check_seal(file: h5py.File, where: str, error: type[PolybitError]) -> None:
    """Refuse a file whose bytes are not those that were sealed. This finds accidents, not forgeries.

    Raises:
        PolybitError: of the class `error`: there is no seal, or it is another's.
    """
    if text_attribute(file, "seal") != _digest(file, where, error):
        words = "Its contents are not those that were written."
        raise error(words, where=where, why="The file was damaged or changed.", do="Make or fetch it again.")


def _digest(file: h5py.File, where: str, error: type[PolybitError]) -> str:
    """Return the SHA-256 over path, dtype, shape and bytes of every dataset, in order of paths."""
    sha, room = hashlib.sha256(), file.id.get_filesize()
    for group, name in _datasets(file, where, error, _DEEPEST):
        found = array(group, name, where, error, plain=True)
        room -= found.nbytes
        if room < 0:
            raise error("It claims more than it holds.", where=where)
        sha.update(f"{group.name.strip('/')}/{name} {found.dtype.str} {found.shape}\n".encode())
        sha.update(np.ascontiguousarray(found).tobytes())
    return sha.hexdigest()


def _datasets(
    group: h5py.Group, where: str, error: type[PolybitError], depth: int
) -> Iterator[tuple[h5py.Group, str]]:
    for name in sorted(group):
        found = member(group, name, where, error)
        if isinstance(found, h5py.Dataset):
            yield group, name
        elif isinstance(found, h5py.Group) and depth > 1:
            yield from _datasets(found, where, error, depth - 1)
        else:
            raise error(f"{name!r} in {group.name!r} is not expected there.", where=where)


def write_attributes(file: h5py.Group, **values: str | int | bool) -> None:
    """Write attributes; texts at a fixed length, for a damaged heap of varying texts can hang HDF5."""
    for name, value in values.items():
        file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value


def text_attribute(file: h5py.File, name: str) -> str:
    """Return a text that `write_attributes` wrote; "" where there is none of that form."""
    if name not in file.attrs:
        return ""
    found = file.attrs.get_id(name)
    if found.dtype.kind != "S" or found.shape != ():
        return ""
    return bytes(file.attrs[name]).decode("ascii", "replace")


def whole_attribute(file: h5py.Group, name: str) -> int | None:
    """Return a whole number that `write_attributes` wrote, or None."""
    if name not in file.attrs:
        return None
    found = file.attrs.get_id(name)
    if found.dtype.kind not in "iub" or found.shape != ():
        return None
    return int(file.attrs[name])


def _first_line(problem: Exception) -> str:
    text = str(problem).strip().split("\n")[0]
    return text.rstrip(".") or type(problem).__name__
