"""What stands in the margin beside a rule: what is known of it, and what it says of the record looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["kept", "redundant", "vacuous", "conflicting", "dead", "open"]
Truth = Literal["true", "false", "unknown"]

# state -> icon, colour, word
STATES: dict[State, tuple[str, str, str]] = {
    "kept": ("ph.check", "ok", "says something of its own"),
    "redundant": ("ph.copy-simple", "warn", "redundant"),
    "vacuous": ("ph.circle-dashed", "warn", "vacuous"),
    "conflicting": ("ph.warning-octagon-fill", "error", "conflicting"),
    "dead": ("ph.prohibit", "warn", "dead"),
    "open": ("ph.question", "low", "not decided"),
}
TRUTHS: dict[Truth, tuple[str, str, str]] = {
    "true": ("ph.check-circle", "ok", "true"),
    "false": ("ph.x-circle-fill", "error", "false: broken"),
    "unknown": ("ph.question", "low", "unknown"),
}


@dataclass(frozen=True)
class Mark:
    """A sign beside a line, and the sentence that its tooltip says."""

    state: State
    words: str
