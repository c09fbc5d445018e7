"""What Help says."""

from __future__ import annotations

from engine import __version__

_KEYS = (
    ("Drag from the list", "add a node where you let go; double click adds it where there is room"),
    ("Tab, or double click on empty canvas", "search for a node"),
    ("Drag from port to port", "wire; let go over empty canvas to add a node that fits"),
    ("Drag on empty canvas", "select; Shift adds, Ctrl cuts wires instead"),
    ("Middle button or Space and drag", "move what is shown; the wheel zooms"),
    ("F, Ctrl+0, Ctrl+L", "fit, 100 %, arrange"),
    ("Delete, Ctrl+D, F2, arrows", "remove, duplicate, rename, nudge"),
    ("Ctrl+K", "every command, by typing"),
    ("Ctrl+Shift+E", "write, check and try the rules; Ctrl+Space there offers what may be written"),
    ("Ctrl+R, Ctrl+., Shift+F5", "train, pause, stop"),
)


def keys_words() -> str:
    """Return the keys and mouse gestures, a line each."""
    return "\n".join(f"{keys}: {words}." for keys, words in _KEYS)


def about_words() -> str:
    """Return what this program is, and its version."""
    return (
        f"Polybit {__version__}: a workbench for hybrid binary intelligence. Binary networks, "
        "hyperdimensional computing, spiking neurons and logic in one graph."
    )
