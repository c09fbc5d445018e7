"""resources/help/networks.md names every block and network there is, and speaks of nodes that exist."""

import re
from pathlib import Path

from engine.catalog import NODES
from engine.templates import TEMPLATES
from engine.zoo import ZOO

PAGE = (Path(__file__).parents[2] / "resources" / "help" / "networks.md").read_text("utf-8")


def section(title):
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_that_every_block_has_a_line_with_its_paper():
    lines = re.findall(r"^\| (.+?) \| .+? \| (.+?) \|$", section("Blocks"), re.MULTILINE)
    named = dict(lines[1:])
    assert named == {t.title: t.citation for t in TEMPLATES.values()}


def test_that_every_network_has_a_line():
    assert set(re.findall(r"^\| `([\w-]+)` \|", section("The zoo"), re.MULTILINE)) == set(ZOO)


def test_that_the_nodes_it_speaks_of_exist():
    titles = {node.title for node in NODES.values()}
    spoken = {
        "RSign",
        "RPReLU",
        "Residual add",
        "Average pool",
        "Duplicate channels",
        "Concatenate",
        "Squeeze and excitation",
        "Real-to-binary gate",
        "Info-recoupling",
        "Max pool",
        "Blur pool",
        "Quantize",
        "Bit planes",
        "Thermometer code",
        "Embedding",
        "Binary attention",
        "Vote of an ensemble",
        "Dropout",
    }
    assert spoken <= titles
    assert all(title in PAGE for title in spoken)
