"""augmentations.py and kernels/images.py: each against plain NumPy, and what a line of text may say."""

import numpy as np
import pytest

from engine.augmentations import AUGMENTATIONS, Batch, parse
from engine.errors import FieldError
from engine.kernels.images import rotate_images
from engine.settings import Training


def batch(n=6, *shape):
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((n, *(shape or (7, 5)))).astype(np.float32)
    return Batch(samples, rng.integers(0, 3, n), np.zeros_like(samples))


def applied(text, made, seed=3):
    before = made.samples.copy()
    for augmentation in parse(text):
        augmentation(made, np.random.default_rng(seed))
    return before, made.samples


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3)])
def test_shift_moves_whole_pixels_and_lets_zeros_in(shape):
    before, after = applied("shift 2", batch(6, *shape))
    moves = np.random.default_rng(3).integers(-2, 3, (6, 2))
    for image, moved, (dy, dx) in zip(before, after, moves, strict=True):
        want = np.zeros_like(image)
        for y, x in np.ndindex(7, 5):
            if 0 <= y + dy < 7 and 0 <= x + dx < 5:
                want[y + dy, x + dx] = image[y, x]
        assert (moved == want).all()


def test_flip_mirrors_the_images_that_are_drawn():
    before, after = applied("flip 0.5", batch(20))
    drawn = np.random.default_rng(3).random(20) < 0.5
    assert 0 < drawn.sum() < 20
    for image, there, flipped in zip(before, after, drawn, strict=True):
        assert (there == (image[:, ::-1] if flipped else image)).all()


def test_a_quarter_turn_is_that_of_numpy_and_no_turn_changes_nothing():
    image = np.random.default_rng(1).standard_normal((1, 6, 6, 2)).astype(np.float32)
    out = np.empty_like(image)
    rotate_images(image, np.array([0.0]), np.array([1.0]), out)
    assert np.allclose(out[0], np.rot90(image[0], -1), atol=1e-6)
    rotate_images(image, np.array([1.0]), np.array([0.0]), out)
    assert (out == image).all()


def test_rotation_between_pixels_keeps_a_plane_a_plane():
    grid = np.arange(9, dtype=np.float32)
    plane = (2 * grid[:, None] + 3 * grid[None, :])[None, :, :, None]
    out = np.empty_like(plane)
    angle = np.radians(20)
    rotate_images(plane, np.array([np.cos(angle)]), np.array([np.sin(angle)]), out)
    y, x = 5 - 4, 3 - 4
    fy, fx = 4 - np.sin(angle) * x + np.cos(angle) * y, 4 + np.cos(angle) * x + np.sin(angle) * y
    assert out[0, 5, 3, 0] == pytest.approx(2 * fy + 3 * fx, abs=1e-4)
    assert out[0, 4, 4, 0] == plane[0, 4, 4, 0]


def test_rotate_stays_within_its_angle():
    before, after = applied("rotate 0", batch())
    assert np.allclose(before, after)
    before, after = applied("rotate 30", batch())
    assert not np.allclose(before, after)


def test_cutout_sets_one_square_to_zero():
    made = batch(30, 9, 9)
    made.samples[:] = 1
    _, after = applied("cutout 4", made)
    middles = np.random.default_rng(3).integers(0, (9, 9), (30, 2))
    for image, (y, x) in zip(after, middles, strict=True):
        want = np.ones((9, 9))
        want[max(0, y - 2) : y + 2, max(0, x - 2) : x + 2] = 0
        assert (image == want).all()


def test_noise_has_the_deviation_that_was_asked_for():
    before, after = applied("noise 0.5", batch(400, 30))
    assert np.std(after - before) == pytest.approx(0.5, rel=0.03)


def test_mixup_mixes_records_and_says_how_labels_count():
    made = batch(8)
    before, after = applied("mixup 1", made)
    rng = np.random.default_rng(3)
    share, order = rng.beta(1, 1), rng.permutation(8)
    assert made.share == pytest.approx(share, abs=1e-6)
    assert (made.others == made.labels[order]).all()
    assert np.allclose(after, share * before + (1 - share) * before[order], atol=1e-6)


def test_the_same_chance_gives_the_same_bytes():
    line = ", ".join(AUGMENTATIONS)
    made = [applied(line, batch())[1].tobytes() for _ in range(2)]
    assert made[0] == made[1]
    assert applied(line, batch(), seed=4)[1].tobytes() != made[0]


def test_a_line_names_them_with_amounts_or_without():
    found = parse("shift 3,  flip , rotate 5")
    assert [(type(a).__name__, a.amount) for a in found] == [("Shift", 3), ("Flip", 0.5), ("Rotate", 5)]
    assert parse("") == ()
    assert Training(augment="shift 1").augment == "shift 1"


@pytest.mark.parametrize("text", ["twirl", "shift many", "shift -1", "flip 2", "shift nan", "noise inf"])
def test_a_line_that_says_nothing_known_is_refused(text):
    with pytest.raises(FieldError, match=r"There is no augmentation|must be a number from 0"):
        Training(augment=text)
