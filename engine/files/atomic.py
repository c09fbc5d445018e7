"""Files appear whole or not at all: written beside their place, flushed to disk, then moved over it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..errors import PolybitError

_PART = ".part"
_STALE = 3600.0  # seconds


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; when the block ends well, it takes the place of `path`.

    When the block raises, the part that was written is removed and `path` stays as it was.

    Raises:
        PolybitError: the folder is not there or cannot be written to.
    """
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=_PART, delete=False) as made:
            part = Path(made.name)
    except (OSError, ValueError) as error:
        raise _cannot(path, error) from error
    try:
        yield part
        _flush(part)
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise _cannot(path, error) from error
    finally:
        part.unlink(missing_ok=True)
    _sweep(path)


def check_writable(path: Path) -> None:
    """Make sure that `path` could be written now, so that hours of work do not end in an error.

    Raises:
        PolybitError: `path` is a folder, or its folder is not there or cannot be written to.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError("It is a folder")
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=_PART):
            pass
    except (OSError, ValueError) as error:
        raise _cannot(path, error) from error


def keep_apart(out: Path, *read: str | Path) -> None:
    """Refuse to write over a file that is being read.

    Raises:
        PolybitError: `out` is one of the files `read`.
    """
    for path in map(Path, read):
        try:
            same = out.exists() and path.exists() and out.samefile(path)
        except (OSError, ValueError):  # no path that a file could have: whoever opens it says so
            continue
        if same:
            words = f"--out is {path.name}, which is read here and would be lost."
            raise PolybitError(words, do="Choose another name.")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _sweep(path: Path) -> None:
    """Remove the parts that killed programs left beside `path`; a part this old is being written by none."""
    for left in path.parent.glob(f".{escape(path.name)}.*{_PART}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot(path: Path, error: Exception) -> PolybitError:
    reason = getattr(error, "strerror", None) or str(error)
    return PolybitError(
        f"Cannot write {path.name}: {reason}.", where=str(path.parent), do="Choose another place."
    )
