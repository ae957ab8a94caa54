"""The figures of small sets to eight digits, so that a change of any term, constant or sign is noticed.

The features are whole numbers, so that every machine draws the same random halves. Other tests show that the figures
are right on average and that their intervals cover the true distance.
"""

from __future__ import annotations

import numpy as np
import pytest

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.intervals import (
    InfluenceFunctions,
    checked,
    group_names,
    joined,
    label,
    no_interval,
    of_same_clips,
    resampling_strata,
    shared,
    skew_corrected_bounds,
    t_quantile,
)
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.distances.mean_term import mean_term
from vbench_lite.distances.overlaps import half_overlaps
from vbench_lite.records import ReasonCode

DIGITS = {"rel": 1e-8, "abs": 1e-8}


def whole(seed: int, clips: int, values: int, shift: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9, 10, (clips, values)) + float(shift)


ALONE = [""] * 40
PAIRS = [f"p{place // 2}" for place in range(32)]
UNEVEN = [f"p{group}" for group in np.repeat(np.arange(16), [1] * 6 + [2] * 6 + [3, 3, 4, 4])]
MIXED = [*UNEVEN[:15:-1], *(f"q{place}" for place in range(16))]
SETS = {
    "more values than clips": (16, 20, 40, ALONE[:16], ALONE[:20]),
    "more clips than values": (40, 32, 6, ALONE, ALONE[:32]),
    "two clips of each prompt": (32, 32, 12, PAIRS, PAIRS),
    "prompts of unequal size": (32, 24, 10, UNEVEN, ALONE[:24]),
    "some prompts on both sides": (32, 32, 10, UNEVEN, MIXED),
}

INTERVALS = {
    (corrected_interval, "more values than clips"): (-12.047483823722, -223.335999729277, 248.945204998575),
    (corrected_interval, "more clips than values"): (4.521397928092, -10.453031465359, 20.983544712718),
    (corrected_interval, "two clips of each prompt"): (-9.249445136842, -43.821505054788, 41.58949988924),
    (corrected_interval, "prompts of unequal size"): (16.433733721618, -44.140032104861, 75.826799931493),
    (corrected_interval, "some prompts on both sides"): (10.297111667829, -24.946382309643, 66.078522397521),
    (kernel_interval, "more values than clips"): (41.109530765145, -165.264339360947, 370.546806690546),
    (kernel_interval, "more clips than values"): (141.355774597779, -1291.195332514143, 1635.976834133164),
    (kernel_interval, "two clips of each prompt"): (-49.546912374614, -869.47327890975, 790.617848742172),
    (kernel_interval, "prompts of unequal size"): (229.027097256126, -715.510797708745, 1133.456214738118),
    (kernel_interval, "some prompts on both sides"): (385.785553302497, -286.560024955390, 1755.946178656870),
}
PARTS = {
    "more values than clips": (1238.038919208562, 11000.132435601760, 26.576990448967, 34.782550788339),
    "more clips than values": (1.653779223416, 55.711581701074, -0.621624094072, 1.225399043767),
    "two clips of each prompt": (8.965480272118, 371.981582332619, -0.210652971403, -2.242258506606),
    "prompts of unequal size": (15.420422554890, 736.389049871543, 5.248327375841, 4.338591492242),
    "some prompts on both sides": (13.299508126095, 411.782865808042, 10.594361013181, 0.091848390386),
}
"""Variance of no group; sum of the squared influences; influence of the first and of the last group."""


def test_the_distance_of_clips_that_repeat() -> None:
    x, y = np.repeat(whole(1, 10, 12), 2, 0), np.repeat(whole(2, 9, 12, shift=1), 2, 0)
    found = corrected_interval(x, y)
    assert (found.value, found.low, found.high) == pytest.approx((202.5882242, 107.738903, 340.463254), rel=2e-7)


def sides(name: str) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    clips, real, values, prompts, real_prompts = SETS[name]
    return whole(1, clips, values), whole(2, real, values, shift=1), prompts, real_prompts


@pytest.mark.parametrize(("judge", "name"), INTERVALS, ids=lambda part: getattr(part, "__name__", part))
def test_a_distance_and_both_ends_of_its_interval(judge, name: str) -> None:
    found = judge(*sides(name))
    assert (found.value, found.low, found.high) == pytest.approx(INTERVALS[judge, name], **DIGITS)
    assumed = (judge, name) == (corrected_interval, "more values than clips")
    assert (found.reason or "")[:27] == ("44% of the covariances cann" if assumed else "")
    assert found.code == (ReasonCode.OTHER if assumed else None)
    narrow = judge(*sides(name), confidence=0.5)
    assert found.low < narrow.low < narrow.value < narrow.high < found.high


@pytest.mark.parametrize("name", PARTS)
def test_the_influence_of_each_prompt_on_a_corrected_distance(name: str) -> None:
    x, y, prompts, real_prompts = sides(name)
    found = corrected_interval(x, y, prompts, real_prompts)
    parts = found.parts
    assert parts is not None
    figures = parts.rest, np.square(parts.by_group).sum(), parts.by_group[0], parts.by_group[-1]
    assert figures == pytest.approx(PARTS[name], **DIGITS)
    assert parts.value == found.value
    assert set(parts.groups) >= set(prompts) - {""}
    assert len(parts.groups) == len(parts.by_group) == len(set(group_names(prompts, real_prompts)))


def test_without_prompts_each_clip_is_a_group() -> None:
    x, y, _, _ = sides("more clips than values")
    assert corrected_interval(x, y).low == pytest.approx(-10.453031465359, **DIGITS)


def test_a_distance_from_a_constant_side_has_an_interval_that_assumes_nothing() -> None:
    x = whole(1, 16, 5)
    found = corrected_interval(x, np.ones((16, 5)))
    expected = np.square(x.mean(0) - 1).sum() + x.var(0, ddof=1).sum() * 15 / 16
    assert (found.value, found.reason) == (pytest.approx(expected), None)
    assert (found.low, found.high) == pytest.approx((129.562992466520, 183.562007533480), **DIGITS)
    assert found.parts is not None
    assert found.parts.rest == 0


@pytest.mark.parametrize(
    ("name", "overlaps", "first", "last"),
    [
        ("more values than clips", (593.097774969155, 620.658878019592, 670.965225298716),
         (87.044659260424, 0, 43.814702259232), (0, 39.998103397785, 34.241470819230)),
        ("some prompts on both sides", (308.497320128578, 305.963589473121, 311.232312426092),
         (4.172116451079, 0, 0.554533459210), (0, -2.694473523269, -2.480421078801)),
    ],
)  # fmt: skip
def test_overlaps_and_what_the_first_and_the_last_clip_add_to_them(name: str, overlaps, first, last) -> None:
    x, y, prompts, real_prompts = sides(name)
    found = half_overlaps(x, y, label(prompts, real_prompts))
    assert found.values.shape == (16, 3)
    assert found.by_clip.shape == (16, 3, len(x) + len(y))
    assert found.values.mean(0) == pytest.approx(overlaps, **DIGITS)
    assert found.by_clip[..., 0].mean(0) == pytest.approx(first, **DIGITS)
    assert found.by_clip[..., -1].mean(0) == pytest.approx(last, **DIGITS)


@pytest.mark.parametrize(
    ("name", "value", "ends", "pairs", "variances", "skewed"),
    [
        ("more values than clips", 25.722258771930, (7.186979166667, 1.726220394737), (-1.985595703125, -1.07744140625),
         (2833.177543701116, 862.377362550031), (50026.870860145, 83938.315912382)),
        ("some prompts on both sides", 14.991846884451, (0.376037597656, -4.188226515247),
         (0.386421203613, 0.084590911865), (380.453838657891, 53.895248496443), (4835.820168327, 6739.441410960)),
    ],
)  # fmt: skip
def test_the_mean_term_with_its_influences(name: str, value: float, ends, pairs, variances, skewed) -> None:
    x, y, prompts, real_prompts = sides(name)
    term = mean_term(x, y, label(prompts, real_prompts))
    assert term.value == pytest.approx(value, **DIGITS)
    assert term.chance.by_group[[0, -1]] == pytest.approx(ends, **DIGITS)
    assert term.chance.pairs[0, [1, -1]] == pytest.approx(pairs, **DIGITS)
    assert np.diag(term.chance.pairs) == pytest.approx(0)
    assert (term.chance.variance(), term.chance.pairs_variance()) == pytest.approx(variances, **DIGITS)
    assert term.chance.skewed() == pytest.approx(skewed, **DIGITS)


def influences(by_group: list[float], joint: float, samples: list[list[int]]) -> InfluenceFunctions:
    pairs = joint * (1 - np.eye(len(by_group)))
    return InfluenceFunctions(np.array(by_group), pairs, [np.array(sample) for sample in samples])


def test_moments_are_taken_about_the_mean_of_each_sample() -> None:
    chance = influences([1.0, 3.0, 5.0, -2.0, 4.0], 0.5, [[0, 1, 2], [3, 4]])
    # deviations -2, 0, 2 and -3, 3: variances 4 and 18
    assert chance.variance() == pytest.approx(3 * 4 + 2 * 18)
    assert chance.pairs_variance() == pytest.approx(20 * 0.25 / 2)
    deviations = np.array([-2.0, 0, 2, -3, 3])
    across = 0.5 * (deviations.sum() ** 2 - np.square(deviations).sum())  # -13
    loops = 5 * 4 * 3 * 0.125
    assert chance.skewed() == pytest.approx((2 * across, 3 * across + loops))
    cubed = influences([0.0, 0.0, 3.0], 0.0, [[0, 1, 2]])
    assert cubed.skewed() == pytest.approx((-1 - 1 + 8, -1 - 1 + 8))


@pytest.mark.parametrize(
    ("scale", "least", "lean", "skewness"),
    [(1.0, 0.0, 6 / 2, 6.0), (4.0, 0.0, 6 / 16, 6 / 8), (9.0, 0.0, 6 / 54, 6 / 27), (9.0, 16.0, 6 / 54, 6 / 27)],
)
def test_bounds_are_those_of_the_formula(scale: float, least: float, lean: float, skewness: float) -> None:
    chance, t = influences([0.0, 0.0, 3.0], 0.0, [[0, 1, 2]]), 2.5  # third moment and slope 6
    lean, skewness = min(lean, 1.0), min(skewness, 2.0)
    near, far = t + (t**2 - 1) * skewness / 6, t - (t**2 - 1) * skewness / 12
    down = scale**0.5 * (near * (1 + near**2 * lean**2) ** 0.5 - near**2 * lean)
    up = scale**0.5 * (far * (1 + far**2 * lean**2) ** 0.5 + far**2 * lean)
    found = skew_corrected_bounds(chance, scale, least, t)
    assert found == pytest.approx((max(down, near * least**0.5), up), rel=1e-12)
    turned = skew_corrected_bounds(influences([0.0, 0.0, -3.0], 0.0, [[0, 1, 2]]), scale, 0.0, t)
    assert turned == pytest.approx((t * scale**0.5, t * scale**0.5)), "a lower tail does not make it shorter"


def test_quantiles_of_t() -> None:
    assert t_quantile(2, 0.95) == pytest.approx(4.302652729911)
    assert t_quantile(0, 0.5) == t_quantile(1, 0.5) == pytest.approx(1.0)


def test_clips_of_both_sides_get_one_prompt() -> None:
    x = np.array([[1.0], [2.0], [2.0], [3.0], [4.0]])
    y = np.array([[2.0], [2.0], [2.0], [3.0], [5.0], [4.0]])
    # the third 2.0 of y has no partner; the prompt of x wins, then that of y, then a new name
    names = joined(x, y, ["a", "", "b", "", "c"], ["", "r", "", "", "s", "t"])
    assert names == (["a", "\nshared 0", "b", "\nshared 3", "c"], ["\nshared 0", "r", "", "\nshared 3", "s", "t"])
    assert joined(x[3:4], y[3:4], [""], ["u"]) == (["u"], ["u"])
    first, second = label(["a", "", "a"], ["", "a", "b"])
    assert (first.tolist(), second.tolist()) == ([0, 1, 0], [2, 0, 3])
    assert group_names(["a", "", "a"], ["", "a", "b"]) == ["a", "\ngenerated1", "\nreference0", "b"]
    assert [sample.tolist() for sample in resampling_strata((first, second))] == [[0, 1, 2, 3]]
    assert [sample.tolist() for sample in resampling_strata((first, second + 2))] == [[0, 1], [2, 4, 5]]
    assert (shared((first, second)), shared((first, second + 2))) == (True, False)


def test_reasons_for_no_interval_have_text_and_code() -> None:
    x, y = whole(1, 5, 3), whole(2, 6, 3)
    assert no_interval(x, y, 4, 4) is None
    assert no_interval(x, y, 3, 4) == ("clips of 3 prompts: an interval needs 4", ReasonCode.TOO_FEW)
    found = no_interval(x, np.concatenate([y, x[:2]]), 3, 4)
    assert found == ("2 clips are in both sets, so the sets are not independent samples", ReasonCode.SHARED_CLIPS)
    assert of_same_clips(x, y) is None
    same = of_same_clips(x, x[::-1])
    assert same is not None
    assert (same.value, same.low, same.high, same.code) == (0, None, None, ReasonCode.SHARED_CLIPS)
    assert same.reason == "both sets are the same 5 clips"


def test_features_are_checked_side_by_side() -> None:
    x, bad = whole(1, 2, 3), np.array([[1.0, np.inf, 0.0], [0.0, 0.0, 0.0]])
    assert [side.dtype for side in checked(x.astype(np.float32), x.astype(np.int64))] == [np.float64] * 2
    for sides, says in (
        ((x[0], x), r"shape \(3,\) and \(2, 3\): expected \(clips, values\)"), ((x, x[0]), "expected"),
        ((x, x[:, :2]), r"\(2, 3\) and \(2, 2\)"), ((x[:1], x), "1 generated and 2 real clips"),
        ((x, x[:1]), "2 generated and 1 real clips"), ((bad, x), "not finite"), ((x, bad), "not finite"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            checked(*sides)


@pytest.mark.parametrize("number", [8, 15, 16])
def test_eight_groups_have_a_distance_and_sixteen_an_interval(number: int) -> None:
    x, y = whole(1, number, 4), whole(2, 20, 4)
    found = corrected_interval(x, y)
    few = f"clips of {number} prompts: an interval needs 16"
    assert (found.reason, found.code) == ((few, ReasonCode.TOO_FEW) if number < 16 else (None, None))
    assert (found.low is None) == (found.high is None) == (number < 16)
    assert found.parts is not None
    with pytest.raises(ValueError, match="clips of 7 prompts: a corrected distance needs 8"):
        corrected_interval(x[:7], y)
