"""Every colour of the window by what it is for, dark and light, and how much two of them stand apart."""

from __future__ import annotations

from dataclasses import dataclass, fields

from engine.node import Family
from engine.ports import PortType


@dataclass(frozen=True)
class Tokens:
    """The colours of one theme, each `#RRGGBB`.

    Attributes:
        name: `dark` or `light`.
        canvas, window, panel, node, card, field, hover: surfaces, deepest first; `field` is under typed text.
        line, line_strong: hairlines; borders of controls.
        hi, mid, low: text, strongest first.
        accent, on_accent: what is chosen or running; text on it.
        data, bits, hyper, spikes, logic, scores: paradigms and port types.
        ok, warn, error: states.
        dot, shadow: the grid of the canvas; the shade under nodes.
        tint: share of its paradigm's colour in a node's header, 0 to 1.
    """

    name: str
    canvas: str
    window: str
    panel: str
    node: str
    card: str
    field: str
    hover: str
    line: str
    line_strong: str
    hi: str
    mid: str
    low: str
    accent: str
    on_accent: str
    data: str
    bits: str
    hyper: str
    spikes: str
    logic: str
    scores: str
    ok: str
    warn: str
    error: str
    dot: str
    shadow: str
    tint: float

    def family(self, family: Family) -> str:
        """Return the colour of a paradigm."""
        return str(getattr(self, family_token(family)))

    def port(self, given: PortType) -> str:
        """Return the colour of a port type."""
        return str(getattr(self, _PORTS[given]))

    def colours(self) -> dict[str, str]:
        """Return the colours by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: v for k, v in values.items() if isinstance(v, str) and v.startswith("#")}


_FAMILIES: dict[Family, str] = {
    "data": "data",
    "flow": "data",
    "bnn": "bits",
    "hdc": "hyper",
    "snn": "spikes",
    "logic": "logic",
}

_PORTS: dict[PortType, str] = {
    "real": "data",
    "bits": "bits",
    "hypervector": "hyper",
    "spikes": "spikes",
    "scores": "scores",
    "facts": "logic",
    "labels": "logic",
}


def family_token(family: Family) -> str:
    """Return the name of the colour of a paradigm."""
    return _FAMILIES[family]


SURFACES = ("canvas", "window", "panel", "node", "card", "field")
TEXTS = ("hi", "mid", "low", "data", "bits", "hyper", "spikes", "logic", "scores", "ok", "warn", "error")

DARK = Tokens(
    name="dark",
    canvas="#13161B",
    window="#181C22",
    panel="#1C2128",
    node="#1F252D",
    card="#242A33",
    field="#242A33",
    hover="#2D3540",
    line="#2B323C",
    line_strong="#3B4552",
    hi="#E7EBF1",
    mid="#A9B3C1",
    low="#8A95A5",
    accent="#5B9DFF",
    on_accent="#0C1420",
    data="#9FB0C6",
    bits="#5B9DFF",
    hyper="#B892FF",
    spikes="#FFA94D",
    logic="#4CCB92",
    scores="#4FC7DB",
    ok="#4CCB92",
    warn="#F2C14E",
    error="#FF7B7B",
    dot="#222831",
    shadow="#000000",
    tint=0.16,
)

LIGHT = Tokens(
    name="light",
    canvas="#F4F5F7",
    window="#ECEEF1",
    panel="#FAFBFC",
    node="#FFFFFF",
    card="#FFFFFF",
    field="#FFFFFF",
    hover="#E3E7EC",
    line="#DEE2E8",
    line_strong="#C3CAD4",
    hi="#1A2029",
    mid="#4A5563",
    low="#616B7B",
    accent="#1A66DB",
    on_accent="#FFFFFF",
    data="#56657A",
    bits="#1A66DB",
    hyper="#7A4BD6",
    spikes="#A35304",
    logic="#157549",
    scores="#0B6F87",
    ok="#157549",
    warn="#835C00",
    error="#C9302C",
    dot="#D9DDE3",
    shadow="#5A6675",
    tint=0.10,
)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours by WCAG 2, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(over: str, under: str, share: float) -> str:
    """Return the colour of `over` painted on `under` with `share` of opacity, 0 to 1."""
    pairs = zip(_channels(over), _channels(under), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02X}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
