"""Fields that stand in groups and apply under a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from engine.errors import FieldError
from engine.fields import Fields, choice, flag, path, real, text, whole


@dataclass(frozen=True)
class Teaching(Fields):
    """How one network learns from another."""

    title: ClassVar[str] = "Teaching"

    epochs: int = whole(3, 1, 10, "Passes", unit="epochs")
    teacher: str = path("The run that teaches", (".run.h5",), group="Distillation")
    temperature: float = real(
        4.0,
        1.0,
        20.0,
        "How soft its answers are",
        citation="Hinton et al. 2015, arXiv:1503.02531",
        group="Distillation",
        when=lambda t: bool(t.teacher),
    )
    mode: str = choice("a", {"a": "A", "b": "B"}, "Mode", group="Other")
    loud: bool = flag(False, "Loud", group="Other", when=lambda t: t.mode == "b")
    words: str = text("", "Words", when=lambda t: t.loud)


def test_a_field_says_its_group_and_what_it_is_declared_with_besides() -> None:
    about = Teaching.about()
    assert [a.group for a in about.values()] == ["", "Distillation", "Distillation", "Other", "Other", ""]
    assert about["temperature"].citation.startswith("Hinton")
    assert about["epochs"].unit == "epochs"
    assert about["teacher"].suffixes == (".run.h5",)


def test_a_field_applies_by_the_values_of_the_others() -> None:
    assert Teaching().applies("epochs")
    assert not Teaching().applies("temperature")
    assert Teaching(teacher="big.run.h5").applies("temperature")
    assert not Teaching().applies("loud")
    assert Teaching(mode="b").applies("loud")
    assert not Teaching(mode="b").applies("words")


def test_a_field_that_does_not_apply_is_checked_and_kept_all_the_same() -> None:
    assert Teaching.of({"temperature": 8.0}).values()["temperature"] == 8.0
    with pytest.raises(FieldError, match="Temperature must be 1 to 20"):
        Teaching(temperature=0.5)
