"""Messages between this process and the solver process: a length (4 bytes, big-endian) and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]


def packed(model: Sequence[int]) -> str:
    """Return which literals of a model, in the order of the variables, are positive: bits in hexadecimal."""
    return np.packbits(np.array(model, np.int64) > 0).tobytes().hex()


def unpacked(bits: str, count: int) -> U8:
    """Return the same as ones and zeros, uint8 (count,)."""
    found = np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8))[:count]
    return np.concatenate([found, np.zeros(count - len(found), np.uint8)])


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
