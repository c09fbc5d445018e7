"""The text of a rule file, whatever its language: its size is checked before it is read."""

from __future__ import annotations

from pathlib import Path

from ..errors import RuleError


def text_of(path: Path, most: int, *, split: str, save: str, encoding: str = "utf-8") -> str:
    """Return the text of a file.

    Args:
        path: the file.
        most: how many bytes it may have.
        split: what to do where it has more.
        save: what to do where it is no text.
        encoding: how it is read, `utf-8` or `utf-8-sig`, which passes over a byte order mark.

    Raises:
        RuleError: it is missing, too large or no UTF-8 text; `where` names the file.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise RuleError("It is not a plain file.", where=path.name, do="Choose a file.")
        if size > most:
            words = f"The file has {size:,} bytes; at most {most:,} are read."
            raise RuleError(words, where=path.name, do=split)
        with path.open("rb") as file:
            return file.read(most).decode(encoding)
    except UnicodeDecodeError as error:
        words = f"Byte {error.start + 1} is no UTF-8 text."
        raise RuleError(words, where=path.name, do=save) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RuleError(f"The file cannot be read ({reason}).", where=str(path)) from None
