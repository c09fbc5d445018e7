"""Training: one generator that yields progress, and what it needs.

`engine.train` is this room and the door to it as well: Python gives both one name, so the room can be called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .progress import Progress


class _Door(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Iterator[Progress]:
        """Train a project; see `engine.train.loop.train`."""
        from .loop import train

        return train(*args, **kwargs)


sys.modules[__name__].__class__ = _Door
