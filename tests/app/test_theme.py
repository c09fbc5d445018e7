"""The theme: every text can be read on every surface, in both themes, and icons and fonts are there."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontInfo, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme.current import theme
from app.theme.fonts import font, mono
from app.theme.glyphs import known
from app.theme.icons import pixmap
from app.theme.tokens import DARK, LIGHT, SURFACES, TEXTS, Tokens, contrast, mixed
from engine.catalog import NODES, SECTIONS


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=lambda t: t.name)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_stands_out_from_every_surface(tokens: Tokens, surface: str, text: str) -> None:
    assert contrast(getattr(tokens, text), getattr(tokens, surface)) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=lambda t: t.name)
def test_text_on_accent_and_on_tinted_headers_can_be_read(tokens: Tokens) -> None:
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for family in SECTIONS:
        header = mixed(tokens.family(family), tokens.node, tokens.tint)  # type: ignore[arg-type]
        assert contrast(tokens.hi, header) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#FFFFFF", "#FFFFFF") == 1.0


def test_both_fonts_are_ours_and_figures_are_tabular(qapp: QApplication) -> None:
    assert QFontInfo(font()).family().startswith("Inter")
    assert QFontInfo(mono()).family().startswith("JetBrains Mono")
    metrics = QFontMetricsF(font(13))
    assert metrics.horizontalAdvance("1111") == pytest.approx(metrics.horizontalAdvance("8888"))


def test_semibold_is_wider_than_regular(qapp: QApplication) -> None:
    words = "Class memory"
    assert QFontMetricsF(font(12, 600)).horizontalAdvance(words) > QFontMetricsF(
        font(12, 400)
    ).horizontalAdvance(words)


def test_every_kind_has_an_icon_that_draws(qapp: QApplication) -> None:
    for kind, node in NODES.items():
        assert known(node.icon), f"{kind}: the font has no {node.icon}"
        image = pixmap(node.icon, "hi", 16).toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(16) for y in range(16)), kind


def test_choosing_a_theme_changes_the_palette_and_is_kept(qtbot: QtBot, qapp: QApplication) -> None:
    theme().start("dark")
    with qtbot.waitSignal(theme().changed):
        theme().choose("light")
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == LIGHT.window
    theme().start()
    assert theme().tokens is LIGHT
    theme().choose("dark")
    assert theme().tokens is DARK
