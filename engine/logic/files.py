"""The text of a rule file, whatever its language: its size is checked before it is read."""

from __future__ import annotations

from pathlib import Path

from ..errors import RuleError

_OPENINGS = {  # of files that are no text in UTF-8, and what to do with them
    b"\x1f\x8b": ("It is packed with gzip.", "Unpack it first."),
    b"PK\x03\x04": ("It is packed with zip.", "Unpack it first."),
    b"BZh": ("It is packed with bzip2.", "Unpack it first."),
    b"\xfd7zXZ\x00": ("It is packed with xz.", "Unpack it first."),
    b"\xff\xfe": ("It is text in UTF-16.", "Save it as UTF-8."),
    b"\xfe\xff": ("It is text in UTF-16.", "Save it as UTF-8."),
}


def text_of(
    path: Path, most: int, *, split: str, save: str, encoding: str = "utf-8", lenient: bool = False
) -> str:
    """Return the text of a file.

    Args:
        path: the file.
        most: how many bytes it may have.
        split: what to do where it has more.
        save: what to do where it is no text.
        encoding: how it is read, `utf-8` or `utf-8-sig`, which passes over a byte order mark.
        lenient: read bytes that are no UTF-8, as old files have in comments, as U+FFFD, unless it is no text.

    Raises:
        RuleError: it is missing, too large or no UTF-8 text; `where` names the file.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise RuleError("It is not a plain file.", do="Choose a file.")
        if size > most:
            words = f"The file has {size:,} bytes; at most {most:,} are read."
            raise RuleError(words, do=split)
        with path.open("rb") as file:
            data = file.read(most)
        return _decoded(data, encoding, lenient=lenient)
    except RuleError as error:
        raise error.at(path.name) from None
    except UnicodeDecodeError as error:
        words = f"Byte {error.start + 1} is no UTF-8 text."
        raise RuleError(words, where=path.name, do=save) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RuleError(f"The file cannot be read ({reason}).", where=str(path)) from None


def _decoded(data: bytes, encoding: str, *, lenient: bool) -> str:
    for opening, (what, do) in _OPENINGS.items():
        if data.startswith(opening):
            raise RuleError(what, do=do)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if not lenient or b"\0" in data:
            raise
        return data.decode(encoding, errors="replace")
