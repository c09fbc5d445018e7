"""resources/help/quantizers.md says of every option what its family says: a new one is a line more there."""

from pathlib import Path

import pytest

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.kernels.estimators import ESTIMATORS
from engine.precision import PRECISIONS

PAGE = (Path(__file__).parents[2] / "resources" / "help" / "quantizers.md").read_text("utf-8")
FAMILIES = (ESTIMATORS, WEIGHT_QUANTIZERS, ACTIVATION_QUANTIZERS)
OPTIONS = [(family, option) for family in FAMILIES for option in family.all()]


def line(option):
    """What the page says of an option, as one row of a table."""
    cells = [option.title, f"`{option.key}`"]
    if option.serves:
        widths = " ".join("T" if w == "ternary" else w for w in option.serves)
        cells.append("all" if set(option.serves) == set(PRECISIONS) else widths)
    formula = option.formula.replace("|", "\\|")
    return f"| {' | '.join((*cells, f'`{formula}`', option.citation))} |"


@pytest.mark.parametrize(("family", "option"), OPTIONS, ids=lambda x: getattr(x, "key", ""))
def test_every_option_has_its_line(family, option):
    assert line(option) in PAGE.split("\n")


def test_no_line_is_of_an_option_that_is_gone():
    rows = [row for row in PAGE.split("\n") if row.startswith("| ") and "`" in row]
    assert len(rows) == len(set(rows)) == len(OPTIONS)


def test_the_readme_counts_the_options():
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    counts = [len(family.all()) for family in (WEIGHT_QUANTIZERS, ACTIVATION_QUANTIZERS, ESTIMATORS)]
    words = "{} of weights, {} of activations, {} straight-through estimators".format(*counts)
    assert words in " ".join(readme.split())
