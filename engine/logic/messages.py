"""Messages between this process and the solver process: a length (4 bytes, big-endian) and JSON."""

from __future__ import annotations

import json
from typing import IO, Any


def read_message(pipe: IO[bytes]) -> dict[str, Any] | None:
    """Return the next message of a pipe, or None where the pipe ends."""
    head = pipe.read(4)
    size = int.from_bytes(head, "big")
    body = pipe.read(size) if len(head) == 4 else b""
    if len(head) < 4 or len(body) < size:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


def write_message(pipe: IO[bytes], message: dict[str, Any]) -> None:
    """Write one message to a pipe."""
    body = json.dumps(message, separators=(",", ":")).encode()
    pipe.write(len(body).to_bytes(4, "big") + body)
    pipe.flush()
