"""The weights panel and its picture: every pixel is the weight that is shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panel_runs import begun, run_to_end
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.panels.weights import WeightsPanel
from app.plots.weights import WeightChart, _levels, _mono, colours
from app.theme.current import theme
from engine.look import WeightMap


def _pixels(image: QImage) -> list[list[int]]:
    return [[image.pixel(x, y) for x in range(image.width())] for y in range(image.height())]


@given(rows=st.integers(1, 12), columns=st.integers(1, 70), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_a_packed_row_is_drawn_bit_for_bit(rows: int, columns: int, seed: int) -> None:
    signs = np.random.default_rng(seed).choice([-1, 1], (rows, columns))
    packed = np.packbits(signs > 0, axis=1)
    minus, _, plus = colours(1)
    expected = [[plus if s > 0 else minus for s in row] for row in signs]
    assert _pixels(_mono(packed, columns)) == expected


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-8, 7), (-128, 127)])
def test_levels_are_drawn_in_their_own_colour(low: int, high: int) -> None:
    levels = np.arange(low, high + 1, dtype=np.int8)[None, :]
    table = colours(high)
    expected = [table[max(0, int(v) + high)] for v in levels[0]]
    assert _pixels(_levels(levels, high)) == [expected]


def test_colours_are_neutral_in_the_middle_and_strongest_at_the_ends(qtbot: QtBot) -> None:
    theme().start("dark")
    table = colours(7)
    assert len(table) == len(set(table)) == 15


def test_the_panel_shows_the_layer_that_is_selected(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = WeightsPanel(document, trainer)
    qtbot.addWidget(panel)
    assert panel.is_empty
    assert "Press Train" in panel.empty.words()
    run_to_end(qtbot, trainer)
    document.select(["head"])
    assert panel.shown is not None
    assert (panel.shown.node, panel.shown.precision) == ("head", "ternary")
    assert "Ternary" in panel.words
    assert "at zero" in panel.words
    document.select(["hidden"])
    assert "1 bit" in panel.words
    assert f"{40 * 36:,}".replace(",", "\u202f") in panel.words


def test_far_away_the_density_stands_in_for_the_weights(qtbot: QtBot) -> None:
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], (2048, 2048))
    density = signs.reshape(256, 8, 256, 8).mean(axis=(1, 3)).astype(np.float32)
    packed = np.packbits(signs > 0, axis=1)
    shown = WeightMap("w", "1", 2048, 2048, packed, 1, 0.0, density, (0.5, 0.0, 0.5))
    chart = WeightChart()
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    chart.show_weights(shown)
    chart.grab()
    assert chart.dense
    chart.view.setRange(xRange=(0, 100), yRange=(0, 100), padding=0)
    chart.grab()
    assert not chart.dense
