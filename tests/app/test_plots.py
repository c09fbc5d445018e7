"""Plots: few spikes are ticks, many a picture of every one; series grow; both themes paint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from app.plots.accuracy import AccuracyChart
from app.plots.confusion import ConfusionChart
from app.plots.raster import TICKS_TO, RasterChart, binned
from app.plots.series import Series
from app.theme.current import theme


def _spikes(count: int, steps: int, neurons: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    times = np.sort(rng.integers(0, steps, count)).astype(np.int32)
    return times, rng.integers(0, neurons, count).astype(np.int32)


def _chart(qtbot: QtBot) -> RasterChart:
    chart = RasterChart()
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.show()
    qtbot.waitExposed(chart)
    return chart


def test_few_spikes_are_ticks_and_many_a_picture(qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    chart.show_spikes(*_spikes(1000, 100, 64), 100, 64)
    assert chart.ticks
    chart.show_spikes(*_spikes(TICKS_TO * 5, 1000, 512), 1000, 512)
    assert not chart.ticks


def test_zooming_into_many_spikes_shows_ticks(qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    chart.show_spikes(*_spikes(TICKS_TO * 5, 1000, 512), 1000, 512)
    chart.view.setRange(xRange=(0, 50), yRange=(0, 512), padding=0)
    qtbot.waitUntil(lambda: chart.ticks, timeout=2000)


def test_every_spike_in_view_is_in_the_picture(qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    count = TICKS_TO * 3
    chart.show_spikes(*_spikes(count, 1000, 512), 1000, 512)
    assert round(float((chart._picture.image.astype(np.float64) ** 2).sum())) == count


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=60))
@settings(deadline=None, max_examples=40)
def test_bins_count_the_points(points: list[tuple[int, int]]) -> None:
    x, y = (np.array(side, np.int64) for side in zip(*points, strict=True))
    counts = binned(x, y, 7, 5)
    naive = np.zeros((5, 7))
    for column, row in points:
        naive[row, column] += 1
    assert np.allclose(counts**2, naive, atol=1e-4)


def test_a_series_grows_without_losing_a_point() -> None:
    series = Series()
    for i in range(5000):
        series.add(i, -i)
    assert np.array_equal(series.x, np.arange(5000))
    assert np.array_equal(series.y, -np.arange(5000))
    series.clear()
    assert len(series) == 0


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_a_chart_stands_on_the_panel_of_its_theme(qtbot: QtBot, mode: str) -> None:
    theme().start(mode)  # type: ignore[arg-type]
    chart = AccuracyChart()
    qtbot.addWidget(chart)
    chart.resize(400, 240)
    chart.add("train", 1, 50)
    chart.show_points()
    corner = chart.grab().toImage().pixelColor(2, 2)
    assert corner == theme().colour("panel")
    theme().start("dark")


def test_charts_follow_a_change_of_the_theme(qtbot: QtBot) -> None:
    theme().start("dark")
    chart = AccuracyChart()
    qtbot.addWidget(chart)
    theme().start("light")
    chart.resize(400, 240)
    assert chart.grab().toImage().pixelColor(2, 2) == theme().colour("panel")
    theme().start("dark")


def test_a_cell_of_the_confusion_says_its_count(qtbot: QtBot) -> None:
    chart = ConfusionChart()
    qtbot.addWidget(chart)
    chart.resize(300, 200)
    chart.show_counts(("cat", "dog"), np.array([[7, 1, 2], [0, 5, 0]]))
    words = {
        chart.words_at(QPointF(chart._rect(row, column).center())) for row in (0, 1) for column in (0, 1, 2)
    }
    assert "7 of 10 records of cat are answered cat" in words
    assert "2 of 10 records of cat are answered none" in words
    assert len(words) == 6
    assert chart.words_at(QPointF(1, 1)) == ""


def test_the_column_of_no_class_is_shown_only_where_it_was_answered(qtbot: QtBot) -> None:
    chart = ConfusionChart()
    qtbot.addWidget(chart)
    chart.show_counts(("cat", "dog"), np.array([[7, 1, 0], [0, 5, 0]]))
    assert chart._columns() == ("cat", "dog")
    chart.show_counts(("cat", "dog"), np.array([[7, 1, 1], [0, 5, 0]]))
    assert chart._columns() == ("cat", "dog", "none")
