"""Image measures: known shapes, and the kernel against a flood fill that shares no code with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.measure import ImageMeasures
from engine.kernels.regions import MEASURES
from engine.node import ShapeError
from engine.ports import Spec


def facts(image: object, **fields: float) -> dict[str, float]:
    array = np.asarray(image, np.float32)[None]
    node = ImageMeasures(**fields)
    (out,) = node.predictor({}, Spec("real", array.shape[1:]))(array)
    return dict(zip(MEASURES, out[0].tolist(), strict=True))


def drawn(*rows: str) -> np.ndarray:
    return np.array([[float(c == "#") for c in row] for row in rows])


def regions(mask: np.ndarray, *, eight: bool) -> list[set[tuple[int, int]]]:
    """Merge neighbouring pixels' sets until nothing changes: slow, plain, independent of the kernel."""
    near = [(0, 1), (1, 0)] + ([(1, 1), (1, -1)] if eight else [])
    found = {tuple(p): {tuple(p)} for p in np.argwhere(mask).tolist()}
    for r, c in list(found):
        for dr, dc in near:
            own, other = found[r, c], found.get((r + dr, c + dc))
            if other is not None and other is not own:
                own |= other
                found.update(dict.fromkeys(other, own))
    return [set(s) for s in {id(s): s for s in found.values()}.values()]


def naive(image: np.ndarray, share: float, smallest: int) -> dict[str, float]:
    h, w = image.shape
    largest = max(float(image.max()), 0.0)
    ink = (image > 0) & (image >= share * largest)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    edge = {(r, c) for r in range(h) for c in range(w) if r in (0, h - 1) or c in (0, w - 1)}
    holes = [s for s in regions(~ink, eight=False) if not s & edge and len(s) >= smallest]
    biggest = max(sorted(holes, key=min), key=len, default=set())
    out = {
        "ink": np.maximum(image, 0).sum(dtype=float) / (h * w * largest) if largest else 0.0,
        "width": columns[-1] - columns[0] + 1 if len(columns) else 0,
        "height": rows[-1] - rows[0] + 1 if len(rows) else 0,
        "pieces": len(regions(ink, eight=True)),
        "holes": len(holes),
        "largest_hole": len(biggest),
        "hole_place": np.nan,
        "symmetry": 1.0,
    }
    if biggest:
        out["hole_place"] = (np.mean([r for r, _ in biggest]) - rows[0] + 0.5) / out["height"]
    if len(rows):
        box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
        out["symmetry"] = 1 - np.abs(box - box[:, ::-1]).sum() / (2 * np.abs(box).sum())
    return out


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    seed=st.integers(0, 999),
    share=st.sampled_from([0.0, 0.3, 0.55, 1.0]),
    smallest=st.integers(1, 3),
)
def test_every_measure_is_what_a_plain_count_gives(shape, seed: int, share: float, smallest: int) -> None:
    image = np.random.default_rng(seed).integers(-1, 6, shape).astype(np.float32)
    got = facts(image, threshold=share, smallest=smallest)
    for name, value in naive(image, share, smallest).items():
        assert got[name] == pytest.approx(value, nan_ok=True), name


def test_an_eight_has_two_holes_and_a_six_one_below() -> None:
    eight = drawn(" ### ", " # # ", " ### ", " # # ", " ### ")
    assert facts(eight)["holes"] == 2
    assert facts(eight)["symmetry"] == 1
    assert (facts(eight)["width"], facts(eight)["height"]) == (3, 5)
    six = drawn("#    ", "#    ", "###  ", "# #  ", "###  ")
    assert facts(six)["holes"] == 1
    assert facts(six)["hole_place"] == pytest.approx(0.7)
    assert facts(six[::-1])["hole_place"] == pytest.approx(0.3)


def test_a_diagonal_line_closes_a_hole_but_does_not_part_ink() -> None:
    diamond = drawn("  #  ", " # # ", "  #  ")
    assert facts(diamond)["holes"] == 1
    assert facts(diamond)["pieces"] == 1
    assert facts(drawn("###", "# #", "## "))["holes"] == 1
    assert facts(drawn("###", "#  ", "###"))["holes"] == 0


def test_small_holes_can_be_left_out_and_an_empty_image_has_nothing() -> None:
    ring = drawn("####", "#  #", "####", "# ##", "####")
    assert facts(ring)["holes"] == 2
    assert facts(ring, smallest=2)["holes"] == 1
    assert facts(ring)["largest_hole"] == 2
    empty = facts(np.zeros((3, 3)))
    assert [empty[k] for k in ("ink", "width", "height", "pieces", "holes", "largest_hole")] == [0] * 6
    assert np.isnan(empty["hole_place"])


def test_a_record_has_the_same_facts_in_any_batch() -> None:
    images = np.random.default_rng(0).random((20, 9, 7), np.float32)
    predict = ImageMeasures().predictor({}, Spec("real", (9, 7)))
    alone = np.concatenate([predict(images[i : i + 1])[0] for i in range(20)])
    assert predict(images)[0].tobytes() == alone.tobytes()


def test_only_images_are_measured() -> None:
    (spec,) = ImageMeasures().specs(Spec("real", (8, 8)))
    assert [c.name for c in spec.columns] == list(MEASURES)
    with pytest.raises(ShapeError, match="images of"):
        ImageMeasures().specs(Spec("real", (64,)))
