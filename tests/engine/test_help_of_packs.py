"""resources/help/domain-packs.md: its example is a pack, and it names every pack that is shipped."""

import re
from pathlib import Path

from engine.logic.pack_file import read_pack
from engine.logic.packs import packs
from engine.logic.trials import judged

PAGE = (Path(__file__).parents[2] / "resources" / "help" / "domain-packs.md").read_text(encoding="utf-8")


def compared():
    """Return the lines of the table of what was compared, a line for each source."""
    lines = []
    for key, pack in packs().items():
        for source in pack.sources:
            rules = [s for s in pack.statements if pack.source_of(s) is source]
            count = f"{sum(map(pack.confirmed, rules))} of {len(rules)}"
            what = f"{source.compared} ({source.checked})" if source.checked else "not compared"
            lines.append(f"| {key} | {source.title} | {count} | {what} |")
    return lines


def test_the_example_is_a_pack_whose_samples_break_what_they_say():
    example = re.search(r"```\n(\[pack\].*?)```", PAGE, re.DOTALL)[1]
    pack = read_pack(example, "doors")
    assert [set(broken) for broken in judged(pack)] == [set(sample.breaks) for sample in pack.samples]


def test_every_pack_is_named_under_its_domain():
    head = PAGE[: PAGE.index("## What was compared")]
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", head, re.MULTILINE))
    named = {
        key: domain
        for domain, cells in rows.items()
        for key in re.findall(
            r"[a-z0-9]+(?:-[a-z0-9]+)+|allergens|incoterms|tolerances|transfusion|stairs", cells
        )
    }
    for key, pack in packs().items():
        assert named.get(key) == pack.domain, key
    assert f"{len(packs())} packs come with Polybit" in PAGE


def test_what_was_compared_is_listed_for_every_source():
    listed = PAGE[PAGE.index("## What was compared") : PAGE.index("## From the command line")]
    table = [line for line in listed.splitlines() if line.startswith("| ")]
    assert table[1:] == compared()
    rules = [pack.confirmed(statement) for pack in packs().values() for statement in pack.statements]
    assert f"In all, {sum(rules)} of {len(rules)} rules were compared." in listed
