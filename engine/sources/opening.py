"""Finding a data file and the limits that no file may pass, whatever its format."""

from __future__ import annotations

from math import prod
from pathlib import Path

from ..errors import DataError

# More than this as float32 does not fit beside training on the machines we aim at.
MOST_ELEMENTS = 1 << 30
MOST_BYTES = 4 << 30
# A file that inflates this far beyond this size holds nothing but repetition: a bomb, not data.
MOST_INFLATION = 200
INFLATION_FROM = 256 << 20


def located(folder: Path, name: str, *, what: str = "data file") -> Path:
    """Return where the file `name`, relative to `folder`, is.

    Raises:
        DataError: none is chosen, none is there, or it is not a plain file.
    """
    if not name:
        raise DataError(f"No {what} is chosen.", do="Choose one.")
    place = folder / name
    try:
        if not place.exists():
            raise DataError(f"The {what} is not there.", where=str(place), do="Choose another.")
        if not place.is_file():
            raise DataError(f"The {what} is not a plain file.", where=str(place), do="Choose a file.")
    except (OSError, ValueError) as error:
        raise DataError(f"The {what} cannot be looked at ({_reason(error)}).", where=repr(name)) from error
    return place


def unreadable(error: Exception, where: str) -> DataError:
    """Return the error for a file that the system will not give."""
    return DataError(f"The file cannot be read ({_reason(error)}).", where=where)


def check_size(where: str, shape: tuple[int, ...], item_bytes: int, stored: int) -> None:
    """Check the declared size of an array before it is read.

    Args:
        where: the file and array, for the message.
        shape: declared shape.
        item_bytes: bytes of one element.
        stored: bytes the array takes in the file.

    Raises:
        DataError: it is too large for memory, or inflates out of all proportion.
    """
    elements = prod(shape)
    size = elements * item_bytes
    if elements > MOST_ELEMENTS or size > MOST_BYTES:
        raise DataError(
            f"It declares {spaced(size)} bytes; at most {spaced(MOST_BYTES)} bytes and "
            f"{spaced(MOST_ELEMENTS)} numbers are read.",
            where=where,
            do="Split the file.",
        )
    if size > INFLATION_FROM and size > MOST_INFLATION * max(stored, 1):
        raise DataError(
            f"Its {spaced(stored)} bytes would inflate to {spaced(size)} bytes.",
            where=where,
            why="Real data does not repeat itself that much.",
            do="Store it again without compression if it is meant.",
        )


def spaced(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{number:,}".replace(",", "\u202f")


def _reason(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words)[:200]
