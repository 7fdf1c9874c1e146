"""NMR against a slow reading of its definition, and the properties any map must have."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hansgym.attribution import nmr
from hansgym.attribution.pixels import upsample
from hansgym.attributions import NMR_PERCENT
from hansgym.errors import ConfigurationError
from hansgym.roles import Region, Role, SceneObject

SIDE = st.integers(2, 9)
# Few distinct values: ties everywhere.
TIED = st.integers(-3, 5).map(float)


@st.composite
def map_and_mask(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(SIDE), draw(SIDE))
    return draw(hnp.arrays(np.float64, shape, elements=TIED)), draw(hnp.arrays(np.bool_, shape))


def slow_top(scores: np.ndarray, inside: np.ndarray, percent: int) -> Fraction:
    """Walk down the values; tied pixels share what is left to give."""
    budget = Fraction(scores.size * percent, 100)
    left, hit = budget, Fraction(0)
    for value in sorted(set(scores.ravel().tolist()), reverse=True):
        tied = [bool(b) for s, b in zip(scores.ravel(), inside.ravel(), strict=True) if s == value]
        taken = min(left, Fraction(len(tied)))
        hit += taken * Fraction(sum(tied), len(tied))
        left -= taken
        if left == 0:
            break
    return hit / budget


def slow_top_mass(scores: np.ndarray, inside: np.ndarray, percent: int) -> Fraction | None:
    """As above, until the pixels taken hold ``percent`` per cent of the positive mass."""
    mass = [Fraction(max(s, 0.0)) for s in scores.ravel().tolist()]
    left, hit, taken = sum(mass) * percent / 100, Fraction(0), Fraction(0)
    if left == 0:
        return None
    for value in sorted(set(mass), reverse=True):
        tied = [bool(b) for m, b in zip(mass, inside.ravel(), strict=True) if m == value]
        count = min(left / value, Fraction(len(tied)))
        hit, taken, left = hit + count * Fraction(sum(tied), len(tied)), taken + count, left - count * value
        if left == 0:
            break
    return hit / taken


def regions_of(inside: np.ndarray) -> dict[str, np.ndarray]:
    return {"front": np.where(inside, Region.NUISANCE, Region.SUPPORT).astype(np.uint8)}


@settings(deadline=None)
@given(map_and_mask(), st.sampled_from(NMR_PERCENT))
def test_top_share_is_the_definition(case: tuple[np.ndarray, np.ndarray], percent: int) -> None:
    scores, inside = case
    assert nmr.top_share(scores, inside, percent) == pytest.approx(float(slow_top(scores, inside, percent)), abs=1e-9)


@settings(deadline=None)
@given(map_and_mask())
def test_all_readings(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, inside = case
    found = nmr.read({"front": scores}, regions_of(inside))
    assert found.area == pytest.approx(inside.mean())
    if np.ptp(scores) == 0:
        assert found.reason == "the map is constant"
        assert set(found.nmr.values()) == {None}
        return
    assert found.by_camera["front"] == found.nmr, "one camera: jointly is the same"
    for k in NMR_PERCENT:
        assert found.nmr[str(k)] == pytest.approx(float(slow_top(scores, inside, k)), abs=1e-9)
        due = slow_top_mass(scores, inside, k)
        assert found.top_mass[str(k)] == (None if due is None else pytest.approx(float(due), abs=1e-9))
    mass = np.maximum(scores, 0)
    due_soft = None if mass.sum() == 0 else pytest.approx(mass[inside].sum() / mass.sum())
    assert found.soft_mass == due_soft


@settings(deadline=None)
@given(map_and_mask(), st.integers(0, 2**32 - 1))
def test_ratios_are_shares_and_no_order_matters(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    scores, inside = case
    order = np.random.default_rng(seed).permutation(scores.size)
    for k in NMR_PERCENT:
        share = nmr.top_share(scores, inside, k)
        assert -1e-12 <= share <= 1 + 1e-12
        assert nmr.top_share(scores.ravel()[order], inside.ravel()[order], k) == pytest.approx(share, abs=1e-12)
        assert nmr.top_share(scores, ~inside, k) == pytest.approx(1 - share, abs=1e-12)
        assert nmr.top_share(3 * scores + 7, inside, k) == pytest.approx(share, abs=1e-9)
        assert nmr.top_share(np.full_like(scores, 0.1), inside, k) == pytest.approx(inside.mean(), abs=1e-12)


def test_random_maps_score_the_area() -> None:
    rng = np.random.default_rng(0)
    inside = np.arange(10_000).reshape(100, 100) < 3700
    shares = [nmr.top_share(rng.random((100, 100)), inside, 10) for _ in range(100)]
    assert np.mean(shares) == pytest.approx(0.37, abs=4 * np.std(shares) / 10)


def test_cells_upsample_to_exact_plateaus_between_equal_cells() -> None:
    cells = np.full((7, 7), 0.1)
    assert len(np.unique(upsample(cells, 224, 224))) == 1
    cells[3, 3] = 1.0
    pixels = upsample(cells, 224, 224)
    assert (pixels == 0.1).sum() == 224 * 224 - 64 * 64
    assert pixels.max() <= 1.0
    assert np.unravel_index(pixels.argmax(), pixels.shape)[0] in (111, 112)


def test_upsampling_matches_the_masks() -> None:
    cv2 = pytest.importorskip("cv2")
    cells = np.random.default_rng(1).random((7, 7))
    due = cv2.resize(cells, (50, 64), interpolation=cv2.INTER_LINEAR)
    assert upsample(cells, 64, 50) == pytest.approx(due, abs=1e-6)


def test_cameras_count_jointly_and_each() -> None:
    maps = {"front": np.arange(100.0).reshape(10, 10), "wrist": np.arange(100.0).reshape(10, 10) - 1000}
    regions = {
        "front": np.full((10, 10), Region.NUISANCE, np.uint8),
        "wrist": np.full((10, 10), Region.ACTION, np.uint8),
    }
    found = nmr.read(maps, regions)
    assert found.nmr["10"] == 1.0, "all of the top lies in the front camera"
    assert found.by_camera["wrist"]["10"] == 0.0
    assert found.area == 0.5


def test_objects_share_the_top() -> None:
    scores = np.zeros((10, 10))
    scores[0, :4], scores[5] = 2.0, 1.0
    ids = np.zeros((10, 10), np.uint16)
    ids[0], ids[5, :5] = 4, 9
    scene = (
        SceneObject(4, "poster", Role.BACKGROUND),
        SceneObject(9, "jar", Role.TARGET),
        SceneObject(2, "lid", Role.TARGET),
    )
    found = nmr.read({"front": scores}, regions_of(ids == 4), {"front": ids}, scene).by_object
    # Ten pixels: the four of the poster, and six tenths of row 5, half of which is the jar's.
    assert found == pytest.approx({"poster": 0.4, "jar": 0.3, "lid": 0.0, nmr.BEYOND: 0.3})


def test_wrong_images_are_named() -> None:
    maps = {"front": np.zeros((4, 4))}
    with pytest.raises(ConfigurationError, match="no region image for camera 'front'"):
        nmr.read(maps, {"wrist": np.zeros((4, 4), np.uint8)})
    with pytest.raises(ConfigurationError, match="same size"):
        nmr.read(maps, {"front": np.zeros((8, 8), np.uint8)})
