"""Ending a verb from outside: Ctrl-C and the system's word to end (SIGTERM) alike.

The signal raises KeyboardInterrupt wherever the program stands. Where that is lost (inside a destructor or a
callback of a library Python only prints it), the mark that it leaves ends the work at its next record.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = threading.Event()


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Let both signals stop what runs inside: files stay whole, parts are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        _asked.set()
        raise KeyboardInterrupt

    _asked.clear()
    before = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def heed() -> None:
    """End here, when a signal asked for it and was lost.

    Raises:
        KeyboardInterrupt: it was.
    """
    if _asked.is_set():
        raise KeyboardInterrupt
