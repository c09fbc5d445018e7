"""Quick add: search among the kinds of nodes; after a dropped wire, among those that can take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.canvas.edits import first_fit
from app.search import Entry, matches, rank
from app.theme.current import theme
from engine.catalog import NODES, SECTIONS
from engine.node import Node
from engine.ports import Port

_HIDDEN_SHOWN = 4


def find_kinds(
    words: str, choose: Callable[[str], object], port: Port | None = None, *, output: bool = True
) -> Sequence[Entry]:
    """Return the kinds that match, under the headings of the palette.

    Args:
        words: what was typed.
        choose: called with the kind that is chosen.
        port: a port that the new node shall be wired to; kinds that cannot take it are named last, with why.
        output: whether `port` is an output.
    """
    found = [
        node
        for node in NODES.values()
        if matches(words, node.title, node.summary, node.kind, node.citation.replace(":", " "))
    ]
    found.sort(key=lambda node: rank(words, node.title))
    if port is None:
        return [_entry(node, choose, SECTIONS[node.family] if not words else "Nodes") for node in found]
    fitting = [node for node in found if first_fit(node, port, output=output)]
    verb = f"Takes {port.accepts[0]}" if output else f"Gives {' or '.join(port.accepts)}"
    entries = [_entry(node, choose, verb) for node in fitting]
    hidden = [node for node in found if node not in fitting and (node.inputs if output else node.outputs)]
    heading = f"Hidden: {len(hidden)} that cannot {'take' if output else 'give'} it"
    entries += [Entry(_reason(n, port, output=output), None, heading) for n in hidden[:_HIDDEN_SHOWN]]
    return entries


def kind_aside(node: type[Node]) -> str:
    """Return what a kind makes of what: `real → bits`."""
    takes = " or ".join(node.inputs[0].accepts) if node.inputs else ""
    gives = node.outputs[0].accepts[0] if node.outputs else ""
    return " → ".join(part for part in (takes, gives) if part)


def _entry(node: type[Node], choose: Callable[[str], object], heading: str) -> Entry:
    return Entry(
        title=node.title,
        run=lambda: choose(node.kind),
        section=heading,
        icon=node.icon,
        colour=theme().tokens.family(node.family),
        aside=kind_aside(node),
        words=node.summary,
    )


def _reason(node: type[Node], port: Port, *, output: bool) -> str:
    if output:
        takes = dict.fromkeys(t for p in node.inputs for t in p.accepts)
        return f"{node.title} takes {', '.join(takes)}, not {port.accepts[0]}."
    gives = dict.fromkeys(p.accepts[0] for p in node.outputs)
    return f"{node.title} gives {', '.join(gives)}, not {' or '.join(port.accepts)}."
