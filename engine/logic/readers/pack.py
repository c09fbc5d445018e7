"""Domain packs as files of rules."""

from __future__ import annotations

from ..pack_file import read_pack
from .reader import Document, reader


@reader(".toml", "domain packs")
def read_toml(text: str) -> Document:
    """Return the rules of a domain pack.

    Raises:
        RuleError: it is no pack; `where` is line and key.
    """
    pack = read_pack(text, "pack")
    return Document(pack.vocabulary, pack.text)
