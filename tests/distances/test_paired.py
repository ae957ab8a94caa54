"""The error of a difference of two FVDs, and the file that it is read from."""

import struct
from pathlib import Path

import numpy as np
import pytest

from vbench_lite.distances.paired import REAL, DistanceInfluence, error_of_difference
from vbench_lite.distances.stored import SetFeatures, read_features, sha256
from vbench_lite.errors import StoreError

NAMES = tuple(f"p{n}" for n in range(20))


def parts(seed: int, value: float = 3.0, rest: float = 0.0, names: tuple[str, ...] = NAMES) -> DistanceInfluence:
    """What prompts have in common, and a little of a run's own."""
    shared, own = np.random.default_rng(0).normal(size=20), np.random.default_rng([1, seed]).normal(size=20)
    return DistanceInfluence(value, names, (shared + 0.2 * own)[: len(names)], rest)


def test_equal_sets_differ_by_nothing_without_error() -> None:
    assert error_of_difference(parts(1, rest=2.0), parts(1, rest=2.0)) == 0


def test_what_both_share_is_no_error_of_their_difference() -> None:
    alone = np.hypot(*(np.var(parts(seed).by_group, ddof=1) * 20 for seed in (1, 2))) ** 0.5
    assert 0 < error_of_difference(parts(2), parts(1)) < alone / 2


def test_what_was_extrapolated_counts_on_both_sides() -> None:
    plain = error_of_difference(parts(2), parts(1))
    assert error_of_difference(parts(2, rest=3.0), parts(1, rest=1.0)) == pytest.approx((plain**2 + 4) ** 0.5)
    assert error_of_difference(parts(2), parts(1, rest=1.0), weight=2) ** 2 > 4


def test_a_prompt_without_clips_on_one_side_does_not_pair() -> None:
    assert error_of_difference(parts(2, names=NAMES[:10]), parts(1)) > error_of_difference(parts(2), parts(1))


def test_the_error_is_that_of_the_paired_differences_of_prompts_and_of_real_clips() -> None:
    names = ("p0", "p1", "p2", f"{REAL} 0", f"{REAL} 1")
    new = DistanceInfluence(5.0, names, np.array([1.0, 4.0, 1.0, 2.0, 5.0]), 0.5)
    old = DistanceInfluence(3.0, names, np.array([0.0, 1.0, 1.0, 1.0, 2.0]), 0.25)
    # differences 1, 3, 0 of prompts: variance 7/3 of three; 1, 3 of real clips: variance 2 of two
    assert error_of_difference(new, old) == pytest.approx((7 + 4 + 0.75) ** 0.5)
    # halves: 1, 3.5, 0.5 and 1.5, 4: variances 31/12 and 3.125
    assert error_of_difference(new, old, weight=0.5) == pytest.approx((7.75 + 6.25 + 0.5625) ** 0.5)


def test_a_prompt_of_one_side_counts_with_its_whole_influence() -> None:
    new = DistanceInfluence(5.0, ("p0", "p1", "p2"), np.array([1.0, 3.0, 5.0]), 0.0)
    old = DistanceInfluence(3.0, ("p0", "p3"), np.array([1.0, 2.0]), 0.0)
    # differences 0, 3, 5, -2: variance 29/3 of four
    assert error_of_difference(new, old) == pytest.approx((4 * 29 / 3) ** 0.5)


def test_a_single_real_clip_has_no_spread_of_its_own() -> None:
    new = DistanceInfluence(5.0, ("p0", "p1", f"{REAL} 0"), np.array([1.0, 3.0, 9.0]), 0.0)
    old = DistanceInfluence(3.0, (), np.zeros(0), 0.0)
    assert error_of_difference(new, old) == 2


def features() -> SetFeatures:
    sides = np.random.default_rng(2).normal(size=(2, 20, 8)).astype("f4")
    return SetFeatures(sides[0], sides[1], NAMES, NAMES, "net@1", parts(1, rest=0.5))


def test_stored_features_come_back_as_they_were(tmp_path: Path) -> None:
    content = features().content()
    assert content == features().content()
    (tmp_path / "model.npz").write_bytes(content)
    found = read_features(tmp_path / "model.npz", sha256(content))
    assert np.array_equal(found.generated, features().generated)
    assert (found.prompts, found.protocol) == (NAMES, "net@1")
    assert np.array_equal(found.reference, features().reference)
    assert found.corrected is not None
    assert error_of_difference(found.corrected, parts(1, rest=0.5)) == 0
    assert (found.corrected.value, found.corrected.rest, found.corrected.groups) == (3.0, 0.5, NAMES)
    assert found.corrected.by_group.dtype == np.float64


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_another_file_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "features" / "model.npz"
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=r"model.npz .*version control"):
        read_features(path, sha256(features().content()))


def test_features_that_unpack_to_more_than_the_limit_are_refused_by_name(tmp_path: Path) -> None:
    content = bytearray(features().content())
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 2**30)  # the size of the first array, unpacked
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(StoreError, match=r"model.npz cannot be read: its arrays take 1,024 MiB"):
        read_features(tmp_path / "model.npz", sha256(content))


def test_features_of_too_few_prompts_come_back_without_an_influence(tmp_path: Path) -> None:
    whole = features().generated.astype("f8"), features().reference.astype("f8")
    alone = SetFeatures(*whole, NAMES, ("",) * 20, "net@1")
    (tmp_path / "model.npz").write_bytes(alone.content())
    found = read_features(tmp_path / "model.npz", sha256(alone.content()))
    assert (found.corrected, found.reference_prompts, found.prompts) == (None, ("",) * 20, NAMES)
    assert found.reference.dtype == found.generated.dtype == np.float32
    assert np.array_equal(found.reference, alone.reference)
