"""The weights panel and its picture: every pixel is the weight that is shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panel_runs import begun, run_to_end
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.panels.weights import WeightsPanel
from app.plots.kernel_tiles import GAP, tiles
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
    panel.show()
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


def test_out_of_sight_it_is_drawn_once_when_it_is_seen(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    panel = WeightsPanel(document, trainer)
    qtbot.addWidget(panel)
    run_to_end(qtbot, trainer)
    assert trainer.look is not None
    assert panel.is_empty
    panel.show()
    assert not panel.is_empty
    assert panel.shown is trainer.look.weights[0]


def test_kernels_are_shown_as_tiles_or_as_rows(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = WeightsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.resize(700, 300)
    panel.show()
    run_to_end(qtbot, trainer)
    assert trainer.look is not None
    document.select(["hidden"])
    assert not panel.layout_.isVisible()
    maps = tuple(replace(m, kernel=(2, 2, 9)) if m.node == "hidden" else m for m in trainer.look.weights)
    trainer.look = replace(trainer.look, weights=maps)
    trainer.looked.emit()
    assert panel.layout_.isVisible()
    assert panel.chart._title == "Weights · hidden · 40 × 2 × 2 × 9"
    assert panel.chart._labels["bottom"] == "Filter"
    at = panel.layout_.rect_of("rows").center().toPoint()
    QTest.mouseClick(panel.layout_, Qt.MouseButton.LeftButton, pos=at)
    assert panel.chart._labels["bottom"] == "Input"
    document.select(["head"])
    assert not panel.layout_.isVisible()


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


def _kernels(levels: np.ndarray, precision: str = "ternary") -> WeightMap:
    """Return the map of kernels, (filters, taps ..., channels)."""
    rows = levels.reshape(len(levels), -1).astype(np.int8)
    drawn = np.packbits(rows > 0, axis=1) if precision == "1" else rows
    shares = ((rows < 0).mean(), (rows == 0).mean(), (rows > 0).mean())
    return WeightMap("c", precision, *rows.shape, drawn, 1, 0.0, None, shares, levels.shape[1:])


@pytest.mark.parametrize(
    ("shape", "precision"), [((5, 3, 2, 4), "ternary"), ((5, 3, 2, 4), "1"), ((2, 7, 3), "1")]
)
def test_each_kernel_is_a_tile_of_its_filter_and_channel(shape: tuple[int, ...], precision: str) -> None:
    choices = [-1, 1] if precision == "1" else [-1, 0, 1]
    levels = np.random.default_rng(0).choice(choices, shape)
    made = tiles(_kernels(levels, precision))
    high, wide = (shape[1] if len(shape) == 4 else 1), shape[-2]
    assert (made.down, made.across, made.folded) == (shape[-1], shape[0], False)
    for f in range(shape[0]):
        for c in range(shape[-1]):
            tile = made.levels[c * (high + 1) :, f * (wide + 1) :][:high, :wide]
            assert (tile == levels[f, ..., c]).all()
    assert (made.levels == GAP).sum() == made.levels.size - levels.size


def test_the_filters_of_one_channel_fill_a_field(qtbot: QtBot) -> None:
    levels = np.random.default_rng(0).choice([-1, 1], (10, 3, 3, 1))
    made = tiles(_kernels(levels))
    assert (made.down, made.across, made.folded) == (2, 7, True)
    assert (made.levels[4:7, 0:3] == levels[7, ..., 0]).all()
    assert (made.levels[4:, 12:] == GAP).all()


def test_gaps_are_the_ground_and_the_lowest_weight_is_not(qtbot: QtBot) -> None:
    theme().start("dark")
    image = _levels(np.array([[GAP, -127, 127]], np.int8), 127, gaps=True)
    assert QColor(image.pixel(0, 0)).name().upper() == theme().tokens.panel
    assert image.pixel(1, 0) == colours(127)[0]
    lowest = WeightMap("c", "8", 1, 1, np.array([[-128]], np.int8), 127, 0.0, None, (1.0, 0, 0), (1, 1, 1))
    assert tiles(lowest).levels[0, 0] == -127


def test_kernels_keep_their_proportions_and_rows_fill_the_room(qtbot: QtBot) -> None:
    chart = WeightChart()
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.show()
    shown = _kernels(np.random.default_rng(0).choice([-1, 1], (16, 3, 3, 8)), "1")
    chart.show_weights(shown, kernels=True)
    chart.grab()
    across, down = chart.view.viewPixelSize()
    assert across == pytest.approx(down, rel=0.02)
    assert chart._labels == {"bottom": "Filter", "left": "Input channel"}
    assert chart.plot.getAxis("bottom").tickStrings([-5.0, 0.0, 2.5, 16.0, 20.0], 1, 5) == [
        "",
        "0",
        "",
        "16",
        "",
    ]
    chart.show_weights(shown)
    chart.grab()
    assert chart.view.viewRange() == [[0, 72], [0, 16]]
    assert chart._labels == {"bottom": "Input", "left": "Output"}
