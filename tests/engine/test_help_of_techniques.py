"""resources/help/techniques.md says of every row of the reference where it stands, and names what exists."""

import re
from pathlib import Path

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.catalog import NODES
from engine.kernels.estimators import ESTIMATORS

PAGE = (Path(__file__).parents[2] / "resources" / "help" / "techniques.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([A-D]\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
FAMILIES = (WEIGHT_QUANTIZERS, ACTIVATION_QUANTIZERS, ESTIMATORS)


def test_every_row_of_the_reference_has_its_line():
    wanted = [
        f"{letter}{i + 1}"
        for letter, count in zip("ABCD", (26, 7, 15, 19), strict=True)
        for i in range(count)
    ]
    assert [row for row, _, _ in ROWS] == wanted


def test_every_name_is_that_of_something():
    named = {name for _, _, where in ROWS for name in re.findall(r"`([^`]+)`", where)}
    verbs = {"polybit widen", "polybit quantize", "polybit plan"}
    assert named <= {key for family in FAMILIES for key in family} | set(NODES) | verbs


def test_no_quantizer_or_estimator_is_left_out():
    named = set(re.findall(r"`([^`]+)`", PAGE))
    assert {key for family in FAMILIES for key in family} <= named


def test_what_is_said_of_one_side_is_there():
    for _, _, where in ROWS:
        for key in re.findall(r"`([^`]+)` of weights and of activations", where):
            assert key in WEIGHT_QUANTIZERS
            assert key in ACTIVATION_QUANTIZERS
