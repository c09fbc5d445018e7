"""files/atomic.py: whole or not at all, and nothing left beside."""

import os
import time

import pytest

from engine.errors import PolybitError
from engine.files.atomic import check_writable, replacing, write_text


def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def break_off():
        with replacing(path) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_parts_of_killed_programs_are_removed_and_living_ones_are_not(tmp_path):
    path = tmp_path / "a[1].txt"
    dead, alive, other = (tmp_path / n for n in (".a[1].txt.x.part", ".a[1].txt.y.part", ".a1.txt.x.part"))
    for part in (dead, alive, other):
        part.write_text("half")
    for part in (dead, other):
        os.utime(part, (time.time() - 7200,) * 2)
    write_text(path, "new")
    assert set(tmp_path.iterdir()) == {path, alive, other}


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path):
    check_writable(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "no/a.txt", "a\0b", "x" * 400])
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, name):
    with pytest.raises(PolybitError, match="Cannot write"):
        check_writable(tmp_path / name)
    assert not list(tmp_path.iterdir())
