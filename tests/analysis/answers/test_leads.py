"""Who comes first, who ranks where, and what images gain, on runs whose truth is set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.releases import Scores, write
from vbench_lite.analysis.answers.image_gain import image_gains
from vbench_lite.analysis.answers.leads import find_lead, find_leads, find_ranks
from vbench_lite.analysis.family import Family, Outcome, family_of_sides
from vbench_lite.analysis.quantities import quantities
from vbench_lite.run.view import Side, open_run


def lower(loss: float) -> Callable[[Scores, np.ndarray], None]:
    def change(scores: Scores, _: np.ndarray) -> None:
        scores["detail"] -= loss
        scores["warp_error"] += loss / 100

    return change


def side(folder: Path, name: str, loss: float = 0.0, sweep: dict[str, Any] | None = None, **how: Any) -> Side:
    stored = {"name": name, "route": "diffusion", "adapter": "diffusers", "about": {"sweep": sweep} if sweep else {}}
    how = {"prompts": 12, "fvd": None} | how
    path = write(
        folder / name, generator=name, weights=name, seed=len(name), worsen=lower(loss),
        manifest={"generators": {name: stored}}, **how,
    )  # fmt: skip
    return Side(open_run(path), name)


def with_usable(found: Side, usable: int) -> Side:
    """The same with so many usable clips in summary.json."""
    summary = found.run.summary
    figures = dataclasses.replace(summary[found.generator], usable=usable)
    found.run.folder.write_summary(dataclasses.replace(summary, generators={found.generator: figures}))
    return Side(open_run(found.run.path), found.generator)


def lead(metric: str, sides: list[Side]) -> Any:
    return find_lead(quantities(sides[0].run.metrics)[metric], sides, family_of_sides(sides))


@pytest.mark.parametrize("metric", ["detail", "warp_error"])
def test_the_best_is_ahead_where_it_is_better_than_every_other(tmp_path: Path, metric: str) -> None:
    worst, best, middle = (side(tmp_path, name, loss) for name, loss in (("c", 0.3), ("a", 0.0), ("b", 0.1)))
    found = lead(metric, [worst, best, middle])
    assert (found.metric, found.first, found.verdict) == (metric, best, "ahead")
    assert found.comparison.words is Outcome.BETTER
    others = [family_of_sides([best, worst, middle]).between(other, best, metric) for other in (worst, middle)]
    least_sure = max(zip(others, (worst, middle), strict=True), key=lambda both: both[0].p_adjusted)
    assert found.second == least_sure[1]
    assert found.comparison.p_adjusted == pytest.approx(least_sure[0].p_adjusted)
    sides = [worst, best, middle]
    ranks = find_ranks(quantities(best.run.metrics)[metric], sides, family_of_sides(sides))
    assert ranks == {best: 1, middle: 2, worst: 3}


def test_two_that_are_equal_share_a_rank_and_none_is_ahead(tmp_path: Path) -> None:
    first, second, last = (side(tmp_path, name, loss) for name, loss in (("a", 0.0), ("b", 0.005), ("c", 0.3)))
    sides = [second, last, first]
    found = lead("detail", sides)
    assert (found.verdict, {found.first, found.second}) == ("not shown", {first, second})
    ranks = find_ranks(quantities(first.run.metrics)["detail"], sides, family_of_sides(sides))
    assert ranks == {first: 1, second: 1, last: 3}
    assert find_ranks(quantities(first.run.metrics)["motion"], sides, family_of_sides(sides)) == {}
    assert find_ranks(quantities(first.run.metrics)["detail"], sides, Family(())) == {}
    assert find_ranks(quantities(first.run.metrics)["detail"], [first], family_of_sides([first])) == {}
    assert len(find_ranks(quantities(first.run.metrics)["detail"], sides[:2], family_of_sides(sides[:2]))) == 2


def test_few_prompts_one_generator_and_figures_without_direction(tmp_path: Path) -> None:
    one, other = side(tmp_path, "a", prompts=5), side(tmp_path, "b", 0.3, prompts=5)
    assert lead("detail", [one, other]).verdict == "few"
    alone = lead("detail", [one])
    assert (alone.first, alone.second, alone.comparison, alone.verdict) == (one, None, None, "alone")
    assert lead("motion", [one, other]) is None
    assert lead("fvd", [one, other]) is None
    assert find_lead(quantities(one.run.metrics)["detail"], [one, other], Family(())) is None
    leads = find_leads([one, other], family_of_sides([one, other]))
    assert "motion" not in leads
    assert leads["detail"].first == one
    assert find_leads([], Family(())) == {}


def test_images_gain_what_the_same_generator_gains_with_them(tmp_path: Path) -> None:
    made = {
        (of, inputs): side(tmp_path, name, loss, {"of": of, "inputs": inputs} | more, prompts=8)
        for name, of, inputs, loss, more in (
            ("m-t", "m", "text", 0.2, {}), ("m-i", "m", "image+text", 0.0, {}),
            ("n-ti", "n", "image+text", 0.1, {}), ("n-tt", "n", "text", 0.3, {}), ("o-i", "o", "image", 0.0, {}),
            ("k-i", "k", "image", 0.0, {"steps": 4}), ("k-t", "k", "text", 0.2, {"steps": 4}),
        )
    }  # fmt: skip
    found = image_gains([*made.values(), side(tmp_path, "plain", prompts=8)])
    assert found is not None
    first, second, third = found.gains
    assert (first.of, first.text, first.image) == ("m", made["m", "text"], made["m", "image+text"])
    assert (second.of, second.text, second.image) == ("n", made["n", "text"], made["n", "image+text"])
    assert (third.of, third.text, third.image) == ("k with steps=4", made["k", "text"], made["k", "image"])
    for gain in found.gains:
        assert gain.comparisons["detail"].difference == pytest.approx(0.2, abs=0.03)
        assert gain.comparisons["detail"].words is Outcome.BETTER
    assert image_gains([made["m", "text"], made["n", "image+text"]]) is None
    assert found.lead_of_texts is None, "usability is not evaluated"
    counts = {("m", "text"): 9, ("m", "image+text"): 12, ("n", "text"): 11, ("n", "image+text"): 10}
    found = image_gains([with_usable(made[key], usable) for key, usable in counts.items()])
    assert found is not None
    assert found.lead_of_texts is not None
    assert found.lead_of_images is not None
    assert [each.first.generator for each in (found.lead_of_texts, found.lead_of_images)] == ["n-tt", "m-i"]
    assert found.lead_of_texts.verdict == "tied", "the clips themselves are usable alike"
