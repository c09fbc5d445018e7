"""Pictures without a screen, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.__main__ import no_screen_sentence, stray_engine_sentence
from app.shot import Before, main, shot
from app.theme.tokens import DARK, LIGHT
from engine.catalog import NODES
from engine.errors import PolybitError
from engine.files.project import Project, save_project
from engine.graph import Graph


@pytest.fixture
def project(tmp_path: Path) -> Path:
    graph = Graph().add("Dense", NODES["bnn.dense"](), 0, 0).add("Sign", NODES["bnn.sign"](), 300, 40)
    path = tmp_path / "small.polybit"
    save_project(Project(graph=graph.wire("Dense", "out", "Sign", "in"), name="Small"), path)
    return path


@pytest.mark.parametrize(("theme", "tokens"), [("dark", DARK), ("light", LIGHT)])
def test_the_window_is_drawn_in_either_theme(qapp: QApplication, project: Path, theme, tokens) -> None:  # type: ignore[no-untyped-def]
    out = project.with_name("window.png")
    shot(project, "window", out, theme, (1200, 800), before=Before(tab="problems", select="Dense"))
    image = QImage(str(out))
    assert (image.width(), image.height()) == (1200, 800)
    assert image.pixelColor(600, 6).name().upper() == tokens.window


@pytest.mark.parametrize("panel", ["canvas", "inspector", "palette", "problems", "gallery", "hardware"])
def test_each_part_is_drawn_alone(qapp: QApplication, project: Path, panel: str) -> None:
    out = project.with_name("part.png")
    assert main([str(project), "--panel", panel, "--out", str(out), "--size", "1200x800"]) == 0
    image = QImage(str(out))
    assert 100 < image.width() <= 1200
    assert image.height() > 100


def test_what_is_not_there_is_named(qapp: QApplication, project: Path) -> None:
    out = project.with_name("x.png")
    with pytest.raises(PolybitError, match="There is no panel 'sky'"):
        shot(project, "sky", out)
    with pytest.raises(PolybitError, match="There is no node 'Nobody'; there are Dense, Sign"):
        shot(project, "window", out, before=Before(select="Nobody"))
    with pytest.raises(PolybitError, match="1600x1000"):
        main([str(project), "--out", str(out), "--size", "big"])
    with pytest.raises(PolybitError, match="Cannot write"):
        shot(project, "canvas", project.parent / "nowhere" / "x.png")


def test_a_missing_screen_is_said_with_the_command_for_the_same_job() -> None:
    words = no_screen_sentence("digits.polybit", platform="linux", environment={})
    assert "no screen" in words
    assert "polybit train digits.polybit --out run.h5" in words


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"])
def test_any_way_to_draw_counts_as_a_screen(name: str) -> None:
    assert no_screen_sentence(platform="linux", environment={name: "x"}) == ""


def test_windows_and_macos_always_have_a_screen() -> None:
    assert no_screen_sentence(platform="win32", environment={}) == ""
    assert no_screen_sentence(platform="darwin", environment={}) == ""


def test_the_engine_beside_the_window_is_the_right_one() -> None:
    assert stray_engine_sentence() == ""
