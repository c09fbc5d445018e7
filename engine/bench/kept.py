"""Whether repaired answers keep the rules of every domain pack, on records drawn at random."""

from __future__ import annotations

from ..logic.packs import packs
from ..logic.ruleset import RuleSet
from ..logic.trials import Trial, tried
from .pairs import Row, Wanted, host

RECORDS = 1_000_000  # over all packs


def kept_rows(wanted: Wanted) -> list[Row]:
    """Return of how many records with an allowed answer the repaired answer keeps every rule."""
    total = Trial()
    for pack in packs().values():
        total += tried(RuleSet.over(pack.text, pack.vocabulary), -(-RECORDS // len(packs())))
    allowed = total.records - total.none
    kept = allowed - total.breaking_after
    tried_on = f"{total.records:,} random records of {len(packs())} packs"
    wanted.note(
        f"Of {tried_on} {total.breaking_before:,} broke a rule; {total.breaking_after:,} do repaired."
    )
    name = f"Keep every rule after repair, {len(packs())} domain packs"
    return [
        Row(name, kept, allowed, "records with an allowed answer", "records", kept / allowed, 1, 1, host())
    ]
