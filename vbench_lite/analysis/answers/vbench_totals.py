"""Totals of VBench, VBench-I2V and VBench-2.0 from the means of their dimensions.

Ranges, weights and groups: Vchitect/VBench at 45e79ec, `scripts/constant.py`, `scripts/cal_final_score.py`,
`scripts/cal_i2v_final_score.py` and `VBench-2.0/scripts/`. Their scripts count a missing dimension as 0. Here, a
group or total with a missing dimension has no value, and the result names the missing dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

QUALITY = (
    "subject_consistency", "background_consistency", "temporal_flickering", "motion_smoothness", "dynamic_degree",
    "aesthetic_quality", "imaging_quality",
)  # fmt: skip
SEMANTIC = (
    "object_class", "multiple_objects", "human_action", "color", "spatial_relationship", "scene", "appearance_style",
    "temporal_style", "overall_consistency",
)  # fmt: skip
I2V = ("camera_motion", "i2v_subject", "i2v_background")
I2V_QUALITY = tuple(name for name in QUALITY if name != "temporal_flickering")
RANGES = {
    "subject_consistency": (0.1462, 1.0), "background_consistency": (0.2615, 1.0), "temporal_flickering": (0.6293, 1.0),
    "motion_smoothness": (0.706, 0.9975), "scene": (0.0, 0.8222), "appearance_style": (0.0009, 0.2855),
    "temporal_style": (0.0, 0.364), "overall_consistency": (0.0, 0.364), "i2v_subject": (0.1462, 1.0),
    "i2v_background": (0.2615, 1.0),
}
"""Dimension > the values that are scaled to 0 and 1. Others are not scaled. Values outside are not clipped."""
WEIGHTS = {"dynamic_degree": 0.5}


@dataclass(frozen=True)
class Family:
    """How one benchmark combines its dimensions."""

    title: str
    groups: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, float]
    """Group > its weight in the total."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups.values() for name in group)

    def normalised(self, dimension: str, mean: float) -> float:
        """A mean on the scale of the weighted sum."""
        low, high = self.ranges.get(dimension, (0.0, 1.0))
        return (mean - low) / (high - low)


VBENCH = Family(
    "VBench", {"quality": QUALITY, "semantic": SEMANTIC}, {"quality": 4, "semantic": 1}, RANGES, WEIGHTS,
)  # fmt: skip
VBENCH_I2V = Family(
    "VBench-I2V", {"i2v": I2V, "quality": I2V_QUALITY}, {"i2v": 1, "quality": 1}, RANGES,
    WEIGHTS | {"camera_motion": 0.1},
)  # fmt: skip
VBENCH_2 = Family(
    "VBench-2.0",
    {
        "creativity": ("composition", "diversity"),
        "commonsense": ("instance_preservation", "motion_rationality"),
        "controllability": (
            "camera_motion", "complex_landscape", "complex_plot", "dynamic_attribute", "dynamic_spatial_relationship",
            "human_interaction", "motion_order_understanding",
        ),
        "human_fidelity": ("human_anatomy", "human_clothes", "human_identity"),
        "physics": ("material", "mechanics", "multi_view_consistency", "thermotics"),
    },
    dict.fromkeys(("creativity", "commonsense", "controllability", "human_fidelity", "physics"), 1),
)  # fmt: skip
FAMILIES = (VBENCH, VBENCH_I2V, VBENCH_2)


@dataclass(frozen=True)
class GroupTotal:
    """The weighted mean of a group, or its missing dimensions."""

    value: float | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Totals:
    """The groups and the total of a family."""

    family: Family
    means: Mapping[str, float]
    """Dimension of the family > its mean, if known."""
    groups: Mapping[str, GroupTotal]
    total: float | None
    missing: tuple[str, ...]
    """Dimensions without a mean. If there is any, there is no total."""


def totals(family: Family, means: Mapping[str, float]) -> Totals:
    """The groups and the total of a family.

    Args:
        family: One of `FAMILIES`.
        means: Dimension > mean over clips on VBench's scale (0 to 1).

    Example:
        >>> found = totals(VBENCH, dict.fromkeys(QUALITY, 1.0))
        >>> round(found.groups["quality"].value, 6), found.total, len(found.missing)
        (1.001319, None, 9)
    """
    known = {name: means[name] for name in family.dimensions if name in means}
    groups = {name: _group(family, dimensions, known) for name, dimensions in family.groups.items()}
    missing = tuple(name for name in family.dimensions if name not in known)
    total = None
    if not missing:
        parts = [family.shares[name] * (group.value or 0.0) for name, group in groups.items()]
        total = sum(parts) / sum(family.shares.values())
    return Totals(family, known, groups, total, missing)


def _group(family: Family, dimensions: tuple[str, ...], means: Mapping[str, float]) -> GroupTotal:
    missing = tuple(name for name in dimensions if name not in means)
    if missing:
        return GroupTotal(None, missing)
    weights = {name: family.weights.get(name, 1.0) for name in dimensions}
    value = sum(weight * family.normalised(name, means[name]) for name, weight in weights.items())
    return GroupTotal(value / sum(weights.values()))


def family_of(dimensions: Iterable[str]) -> Family:
    """The benchmark with the most dimensions that no other benchmark has; VBench if there are none.

    >>> family_of(["i2v_subject", "motion_smoothness"]).title, family_of(["camera_motion", "material"]).title
    ('VBench-I2V', 'VBench-2.0')
    """
    given = set(dimensions)
    alone = {family.title: set(family.dimensions) for family in FAMILIES}
    for title, names in alone.items():
        alone[title] = names - {name for other in FAMILIES if other.title != title for name in other.dimensions}
    return max(FAMILIES, key=lambda family: len(given & alone[family.title]))
