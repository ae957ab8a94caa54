"""Intervals and tests on prompts: closed forms, reference implementations, error rates, degenerate input."""

import numpy as np
import pytest
from scipy import stats as reference

from vbench_lite import stats


def test_the_mean_of_prompts_weighs_each_prompt_once() -> None:
    assert stats.clustered_mean([1.0, 1.0, 1.0, 5.0], ["a", "a", "a", "b"]).value == 3.0


def test_one_prompt_has_no_interval() -> None:
    assert stats.clustered_mean([1.0, 2.0], ["a", "a"]) == (1.5, None, None)


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(0).normal(size=30)
    expected = reference.t.interval(0.9, 29, values.mean(), reference.sem(values))
    assert stats.mean_interval(values, 0.9)[1:] == pytest.approx(expected)


def test_on_symmetric_values_the_test_is_the_t_test() -> None:
    half = np.random.default_rng(1).normal(size=15)
    values = np.concatenate([half, -half]) + 0.3
    found = stats.mean_test(values)
    assert found.above == pytest.approx(reference.ttest_1samp(values, 0, alternative="greater").pvalue)
    assert found.below == pytest.approx(reference.ttest_1samp(values, 0, alternative="less").pvalue)


def test_skewness_only_ever_makes_the_test_more_cautious() -> None:
    values = np.random.default_rng(2).lognormal(size=(200, 20)) - 1.5
    found, plain = stats.mean_test(values), reference.ttest_1samp(values, 0, axis=1, alternative="less")
    assert (found.below >= plain.pvalue - 1e-12).all()
    assert (found.below > plain.pvalue + 0.01).any()


def test_many_tests_at_once_equal_one_by_one() -> None:
    values = np.random.default_rng(3).normal(size=(5, 12))
    assert stats.mean_test(values).above == pytest.approx([float(stats.mean_test(row).above) for row in values])


@pytest.mark.parametrize(("value", "above", "below"), [(0.5, 0.0, 1.0), (-0.5, 1.0, 0.0), (0.0, 1.0, 1.0)])
def test_constant_differences_are_no_chance_at_all(value: float, above: float, below: float) -> None:
    found = stats.mean_test(np.full(8, value))
    assert (found.above, found.below) == (above, below)


def test_a_constant_with_rounding_noise_is_still_constant() -> None:
    assert stats.mean_test(np.full(8, 0.1) + 1e-17).above == 0.0


@pytest.mark.parametrize("prompts", [10, 20, 40, 100, 200])
@pytest.mark.parametrize("kind", ["normal", "t3", "many zeros"])
def test_the_level_holds_where_nothing_changed(prompts: int, kind: str) -> None:
    rng = np.random.default_rng(prompts)
    shape = (4000, prompts)
    values = {"normal": rng.normal(size=shape), "t3": rng.standard_t(3, shape),
              "many zeros": rng.normal(size=shape) * (rng.random(shape) < 0.2)}[kind]  # fmt: skip
    share = (stats.mean_test(values).below <= 0.05).mean()
    assert share <= 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5


@pytest.mark.parametrize("prompts", [40, 100])
def test_rare_losses_that_were_seen_do_not_pass_for_none(prompts: int) -> None:
    rng = np.random.default_rng(0)
    lost = rng.random((4000, prompts)) < 0.1
    values = 0.3 - 3.0 * lost + 0.3 * rng.normal(size=lost.shape)  # true mean 0: the limit
    passed = stats.mean_test(values).above <= 0.05
    plain = reference.ttest_1samp(values, 0, axis=1, alternative="greater").pvalue <= 0.05
    assert passed.mean() < 0.05 < plain.mean()


def test_holm_is_holms() -> None:
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([]) == []
    assert stats.holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (5, 0), (7, 2), (3, 9)])
def test_the_sign_test_is_the_exact_binomial(worse: int, better: int) -> None:
    expected = reference.binomtest(worse, worse + better, 0.5, "greater").pvalue if worse + better else 1.0
    assert stats.sign_test(worse, better) == pytest.approx(expected)


def test_the_prompts_that_were_asked_for_do_decide() -> None:
    needed = stats.prompts_to_decide(0.3, 1.0, 0.05)
    assert needed is not None
    assert stats.power(0.3, 1.0, needed, 0.05) == pytest.approx(0.8, abs=0.01)
    values = np.random.default_rng(5).normal(0.3, 1.0, (4000, needed))
    assert (stats.mean_test(values).above <= 0.05).mean() == pytest.approx(0.8, abs=0.04)


def test_no_number_of_prompts_decides_what_lies_on_the_line() -> None:
    assert stats.prompts_to_decide(0.0, 1.0, 0.05) is None


def test_a_share_is_met_in_as_many_prompts_as_are_said() -> None:
    count = stats.prompts_to_see(0.1, 0.05)
    assert 0.9**count <= 0.05 < 0.9 ** (count - 1)
    assert stats.prompts_to_see(1.0, 0.05) == 1


def test_clips_of_a_prompt_are_not_independent_and_are_not_counted_so() -> None:
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        prompt = np.repeat(rng.normal(size=20), 4) * 0.8 + 0.6 * rng.normal(size=80)
        found = stats.clustered_mean(prompt.tolist(), np.repeat(np.arange(20), 4).tolist())
        covered += (found.low or 0) <= 0 <= (found.high or 0)
    assert 0.92 <= covered / 400 <= 0.98
