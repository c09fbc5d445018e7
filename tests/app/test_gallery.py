"""The gallery: examples with a picture of their graph, recent projects, and what happens on a press."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.examples import examples, listed, zoo
from app.gallery import Gallery, picture
from app.theme.current import theme
from app.window.example_search import find_examples
from engine.catalog import NODES
from engine.files.project import Project, save_project
from engine.graph import Graph


def _example(folder: Path, name: str, stem: str = "") -> Path:
    graph = Graph().add("Dense", NODES["bnn.dense"](), 0, 0).add("Sign", NODES["bnn.sign"](), 300, 40)
    graph = graph.wire("Dense", "out", "Sign", "in")
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / f"{stem or name}.polybit"
    save_project(Project(graph=graph, name=name, about=f"About {name}."), path)
    return path


def test_examples_are_found_and_broken_ones_left_out(tmp_path: Path) -> None:
    _example(tmp_path, "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "two.polybit").write_text("{")
    (found,) = examples(tmp_path)
    assert found.project.name == "one"
    assert found.paradigms == ["bnn"]
    assert found.records == 0


def test_the_picture_shows_the_graph_in_the_theme(qapp: QApplication, tmp_path: Path) -> None:
    theme().start("dark")
    _example(tmp_path, "one")
    (found,) = examples(tmp_path)
    image = picture(found.project, QSize(320, 160)).toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, 320, 4) for y in range(0, 160, 4)}
    assert QColor(theme().tokens.canvas).name() in colours
    assert len(colours) > 6


def test_a_press_or_enter_on_a_card_opens_its_project(qtbot: QtBot, tmp_path: Path) -> None:
    path = _example(tmp_path, "one")
    gallery = Gallery(tmp_path)
    qtbot.addWidget(gallery)
    gallery.resize(1000, 700)
    gallery.show()
    (card,) = gallery.cards
    with qtbot.waitSignal(gallery.chosen) as signal:
        QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert signal.args == [path]
    with qtbot.waitSignal(gallery.chosen):
        QTest.keyClick(card, Qt.Key.Key_Return)


def test_recent_projects_are_listed_and_open(qtbot: QtBot, tmp_path: Path) -> None:
    gallery = Gallery(tmp_path)
    qtbot.addWidget(gallery)
    gallery.show_recent([tmp_path / "mine.polybit"])
    button = next(b for b in gallery.findChildren(QPushButton) if b.text().startswith("mine"))
    with qtbot.waitSignal(gallery.chosen) as signal:
        button.click()
    assert signal.args == [tmp_path / "mine.polybit"]


def test_a_gallery_without_examples_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    gallery = Gallery(tmp_path)
    qtbot.addWidget(gallery)
    gallery.show()
    assert gallery._none.isVisible()


def test_a_new_project_and_the_file_dialog_can_be_asked_for(qtbot: QtBot, tmp_path: Path) -> None:
    gallery = Gallery(tmp_path)
    qtbot.addWidget(gallery)
    buttons = {b.text(): b for b in gallery.findChildren(QPushButton)}
    with qtbot.waitSignal(gallery.new_wanted):
        buttons["New project"].click()
    with qtbot.waitSignal(gallery.open_wanted):
        buttons["Open…"].click()


def test_networks_of_the_zoo_come_after_the_window_is_there(qtbot: QtBot, tmp_path: Path) -> None:
    _example(tmp_path, "one")
    paths = [_example(tmp_path, "zoo", stem) for stem in ("big", "small")]
    (tmp_path / "zoo" / "broken.polybit").write_text("{")
    gallery = Gallery(tmp_path)
    qtbot.addWidget(gallery)
    gallery.resize(1000, 700)
    gallery.show()
    assert [card.example.path.stem for card in gallery.cards] == ["one"]
    assert gallery.zoo == []
    qtbot.waitUntil(lambda: len(gallery.zoo) == 2)
    gallery.resize(500, 700)
    with qtbot.waitSignal(gallery.chosen) as signal:
        QTest.mouseClick(gallery.zoo[1], Qt.MouseButton.LeftButton)
    assert signal.args[0] in paths


def test_the_search_lists_every_example_under_its_heading_with_a_line_each(tmp_path: Path) -> None:
    _example(tmp_path, "one")
    _example(tmp_path, "zoo", "net")
    assert {t: [e.path.stem for e in found] for t, found in listed(tmp_path).items()} == {
        "Networks": ["net"],
        "Worked examples": ["one"],
    }
    assert [path.stem for path in zoo(tmp_path)] == ["net"]
    chosen: list[Path] = []
    entries = find_examples("", chosen.append, tmp_path)
    assert [(e.section, e.title, e.below, e.aside) for e in entries] == [
        ("Networks", "zoo", "About zoo.", "2 nodes"),
        ("Worked examples", "one", "About one.", "2 nodes"),
    ]
    (found,) = find_examples("about one", chosen.append, tmp_path)
    assert found.run is not None
    found.run()
    assert chosen == [tmp_path / "one" / "one.polybit"]
    (nothing,) = find_examples("zzz", chosen.append, tmp_path)
    assert nothing.run is None
