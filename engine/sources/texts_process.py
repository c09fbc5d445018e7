"""Reads one dataset of texts of varying length, in a process of its own.

The HDF5 library can walk in circles for ever in a damaged heap of such texts, and a few entries may point at
texts without end. This process can be killed and has a bound on its memory; it stands alone, so that it
starts quickly: it is run by its path, with the file, the dataset and the limits as arguments, and prints the
texts as JSON. Exit code 3 says that the limits do not hold.
"""

from __future__ import annotations

import json
import sys

import h5py

PIECE = 256
MOST_MEMORY = 4 << 30


def texts(file: str, dataset: str, most_characters: int, most_text: int) -> list[str] | None:
    """Return the texts of a dataset, or None where one or all of them are too long."""
    out: list[str] = []
    size = 0
    with h5py.File(file, "r") as opened:
        entries = opened[dataset].asstr(errors="replace")
        for at in range(0, len(opened[dataset]), PIECE):
            piece = [str(entry) for entry in entries[at : at + PIECE]]
            size += sum(len(entry) for entry in piece)
            if max(map(len, piece)) > most_characters or size > most_text:
                return None
            out += piece
    return out


def main() -> int:
    """Print the texts; return the exit code."""
    try:
        import resource
    except ImportError:  # not on Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    file, dataset, most_characters, most_text = sys.argv[1:]
    found = texts(file, dataset, int(most_characters), int(most_text))
    if found is None:
        return 3
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
