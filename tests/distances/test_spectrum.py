"""What overlaps of few clips fall short by."""

from __future__ import annotations

import pytest

from vbench_lite.distances.spectrum import Alignment, Spectrum, alignment

ALIGNED = Alignment(rank=12.0, level=0.0, slope=0.0)


def test_two_sets_of_one_covariance_fall_short_together_by_what_each_does() -> None:
    short = Spectrum(31.0, 15.0, 400.0).short((2.0, 3.0), (2.0, 3.0), ALIGNED)
    assert short.large == pytest.approx(2.0)
    assert short.small == pytest.approx(3.0, rel=0.02)
    assert short.aligned == short.large


def test_twice_the_variance_falls_short_by_the_geometric_mean() -> None:
    short = Spectrum(31.0, 15.0, 400.0).short((2.0, 3.0), (4.0, 6.0), ALIGNED)
    assert short.large == pytest.approx(8.0**0.5)


def test_directions_that_differ_leave_less_to_fall_short_of() -> None:
    spectrum, apart = Spectrum(31.0, 15.0, 400.0), alignment(-0.5, -0.4, 31.0, 400.0)
    short = spectrum.short((2.0, 3.0), (2.0, 3.0), apart)
    assert short.large < short.aligned
    assert apart.slope > 0
