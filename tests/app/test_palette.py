"""The list of kinds: sections that open and close, a filter by name, paradigm and paper."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.canvas.palette import Palette
from app.theme.current import theme
from engine.catalog import NODES, shelf_of

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def palette(qtbot: QtBot) -> Palette:
    theme().start("dark")
    QSettings().remove("palette")
    made = Palette()
    qtbot.addWidget(made)
    made.resize(244, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


def shown(palette: Palette) -> list[str]:
    return [k for k, item in palette._items.items() if not item.isHidden() and item.parent().isExpanded()]


def press_heading(palette: Palette, title: str) -> None:
    (head,) = [h for h in palette._heads if h.text(0).startswith(title)]
    palette.tree.scrollToItem(head)
    at = palette.tree.visualItemRect(head).center()
    QTest.mouseClick(palette.tree.viewport(), LEFT, pos=at)


def test_a_press_on_a_heading_closes_and_opens_its_section(palette: Palette) -> None:
    assert set(shown(palette)) == set(NODES)
    press_heading(palette, "Data")
    assert not any(NODES[kind].family == "data" for kind in shown(palette))
    count = sum(node.family == "data" for node in NODES.values())
    assert palette._heads[0].text(0) == f"Data · {count}"
    press_heading(palette, "Data")
    assert set(shown(palette)) == set(NODES)


def test_closed_sections_stay_closed_in_the_next_window_and_theme(palette: Palette, qtbot: QtBot) -> None:
    press_heading(palette, "Graph")
    theme().choose("light")
    assert not any(NODES[kind].family == "flow" for kind in shown(palette))
    other = Palette()
    qtbot.addWidget(other)
    assert not any(NODES[kind].family == "flow" for kind in shown(other))
    theme().choose("dark")


def test_a_search_opens_what_it_finds_and_closes_it_after(palette: Palette) -> None:
    press_heading(palette, "Binary")
    QTest.keyClicks(palette.filter, "batch")
    assert "bnn.batch_norm" in shown(palette)
    palette.filter.clear()
    assert not any(shelf_of(NODES[kind]) == "Binary networks" for kind in shown(palette))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("dense", "bnn.dense"),
        ("spiking", "snn.lif"),
        ("1502.03167", "bnn.batch_norm"),
        ("hubara", "bnn.sign"),
    ],
)
def test_kinds_are_found_by_name_paradigm_and_paper(palette: Palette, words: str, kind: str) -> None:
    QTest.keyClicks(palette.filter, words)
    assert kind in shown(palette)
    assert len(shown(palette)) < len(NODES)


def test_what_is_not_there_is_said(palette: Palette) -> None:
    QTest.keyClicks(palette.filter, "zzz")
    assert not shown(palette)
    assert palette._none.isVisible()


def test_no_title_is_cut_at_the_width_of_the_pane(palette: Palette) -> None:
    metrics = palette.tree.fontMetrics()
    for kind, item in palette._items.items():
        room = palette.tree.visualItemRect(item).width() - 17 - 4 - 12  # its icon, the gap, the padding
        assert metrics.horizontalAdvance(NODES[kind].title) <= room, kind


def test_long_sections_stand_on_shelves_in_the_order_of_the_catalogue(palette: Palette) -> None:
    titles = [head.data(0, Qt.ItemDataRole.UserRole + 1) for head in palette._heads]
    assert titles == list(dict.fromkeys(shelf_of(node) for node in NODES.values()))
    assert {"Data", "Binary networks", "Activations and scales", "Logic"} <= set(titles)
    assert max(head.childCount() for head in palette._heads) <= 20
    press_heading(palette, "Activations")
    assert "bnn.prelu" not in shown(palette)
    assert "bnn.dense" in shown(palette)
