"""Files appear whole or not at all: written beside their place, flushed to disk, then moved over it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..errors import PolybitError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; when the block ends well, it takes the place of `path`.

    When the block raises, the part that was written is removed and `path` stays as it was.

    Raises:
        PolybitError: the folder is not there or cannot be written to.
    """
    try:
        with NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as made:
            part = Path(made.name)
    except OSError as error:
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


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot(path: Path, error: OSError) -> PolybitError:
    reason = error.strerror or str(error)
    return PolybitError(
        f"Cannot write {path.name}: {reason}.", where=str(path.parent), do="Choose another place."
    )
