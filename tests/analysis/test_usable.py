import pytest

from tests.built_runs import METRICS, build_run
from vbench_lite.analysis import usable
from vbench_lite.records import ClipRecord, MetricInfo, ReasonCode, Score, Scored, Threshold

INFOS = {
    "up": MetricInfo("up", "", True, "1", None, "clip"),
    "down": MetricInfo("down", "", False, "1", None, "clip"),
    "neither": MetricInfo("neither", "", None, "1", None, "clip"),
    "conformance": MetricInfo("conformance", "", True, "1", None, "clip"),
    "fvd": MetricInfo("fvd", "", False, "1", None, "set"),
}
REFERENCE = {name: tuple(Score(float(v)) for v in range(101)) for name in ("up", "down", "neither")}
SCORED = Scored(INFOS, {}, {}, REFERENCE)
OK = ClipRecord("g", "diffusion", "p", 0, 1, "ok")


def test_the_worst_five_percent_of_the_reference_are_cut_off_on_the_bad_side() -> None:
    floors = usable.thresholds(SCORED, {})
    assert floors["up"].threshold == Threshold(min=5.0)
    assert floors["down"].threshold == Threshold(max=95.0)


def test_only_per_clip_metrics_with_a_direction_judge() -> None:
    assert set(usable.thresholds(SCORED, {})) == {"up", "down"}


def test_the_suite_has_the_last_word_metric_by_metric() -> None:
    floors = usable.thresholds(SCORED, {"up": Threshold(min=50.0), "neither": Threshold(max=3.0)})
    assert floors["up"] == usable.Floor(Threshold(min=50.0), "suite")
    assert floors["neither"].source == "suite"
    assert floors["down"].source == "reference"


@pytest.mark.parametrize(
    ("scores", "because"),
    [
        ({"up": Score(5.0), "down": Score(95.0)}, []),  # at the threshold is good enough
        ({"up": Score(4.9), "down": Score(0.0)}, ["up: 4.9 is below 5"]),
        ({"up": Score(50.0), "down": Score(96.0)}, ["down: 96 is above 95"]),
        ({"up": Score(50.0), "down": Score(None, "one frame")}, ["down: not scored, one frame"]),
        ({"up": Score(50.0), "down": Score(None)}, ["down: not scored, no reason given"]),
        ({"up": Score(50.0), "down": Score(None, "no text", ReasonCode.NOT_APPLICABLE)}, []),
        ({"up": Score(50.0), "down": Score(0.0), "conformance": Score(None)}, ["conformance: not as requested"]),
        ({"up": Score(50.0)}, ["down: not scored, no score"]),  # what nobody checked is not let through
        (
            {"up": Score(50.0), "down": Score(0.0), "conformance": Score(0.0, "frozen; black")},
            ["conformance: frozen, black"],  # a semicolon would split the list
        ),
    ],
)
def test_reasons_name_each_metric_that_falls_short(scores: dict[str, Score], because: list[str]) -> None:
    found = list(usable.shortcomings(OK, scores, usable.thresholds(SCORED, {})))
    assert [str(each) for each in found] == because
    for each in found:
        assert each.token.split(":")[0] in set(ReasonCode)


def test_a_failed_clip_is_not_usable_and_says_why() -> None:
    failed = ClipRecord(
        "g", "diffusion", "p", 0, 1, "failed", reason="out of memory\non step 3", reason_code=ReasonCode.OUT_OF_MEMORY
    )
    (found,) = usable.shortcomings(failed, {}, {})
    assert (str(found), found.token) == ("failed: out of memory on step 3", "out_of_memory")


def test_codes_name_the_metric_but_for_conformance() -> None:
    scores = {"up": Score(4.9), "down": Score(None), "conformance": Score(0.0, "still", ReasonCode.FROZEN)}
    found = usable.shortcomings(OK, scores, usable.thresholds(SCORED, {}))
    assert [each.token for each in found] == ["frozen", "below_threshold:up", "not_scored:down"]


def test_fewer_reference_clips_pass_all_thresholds_than_each(tmp_path) -> None:
    scored = build_run(tmp_path, prompts=1, video=False).scored
    floors = usable.thresholds(scored, {})
    share = usable.reference_share(scored, floors)
    assert len(floors) == sum(shape.higher_is_better is not None for shape in METRICS.values()) - 1
    assert 0.7 < share < 0.95


def test_without_reference_and_thresholds_there_is_no_floor() -> None:
    assert usable.thresholds(Scored(INFOS, {}, {}), {}) == {}
    assert list(usable.shortcomings(OK, {"conformance": Score(1.0)}, {})) == []


def test_what_is_not_stated_has_a_code_and_a_text_all_the_same() -> None:
    (failed,) = usable.shortcomings(ClipRecord("g", "diffusion", "p", 0, 1, "failed"), {}, {})
    assert (str(failed), failed.token) == ("failed: no reason given", "failed")
    (odd,) = usable.shortcomings(OK, {"conformance": Score(0.0)}, {})
    assert (odd.code, odd.token) == (ReasonCode.WRONG_FORM, "wrong_form")
    assert usable.one_line(" a;\n b ") == "a, b"
    assert usable.one_line("x" * 400) == "x" * 300


def test_a_value_misses_a_limit_beyond_it() -> None:
    both = Threshold(min=1.0, max=2.0)
    assert usable.missed(0.99999, both) == (ReasonCode.BELOW_THRESHOLD, "1 is below 1")
    assert usable.missed(2.5, both) == (ReasonCode.ABOVE_THRESHOLD, "2.5 is above 2")
    assert [usable.missed(value, both) for value in (1.0, 2.0)] == [None, None]


def test_the_share_of_reference_clips_that_pass_every_threshold() -> None:
    floors = usable.thresholds(SCORED, {"neither": Threshold(max=60.0)}, "file")
    assert floors["neither"].source == "file"
    # up passes from 5, down to 95, neither to 60: 5 to 60 of 0 to 100
    assert usable.reference_share(SCORED, floors) == pytest.approx(56 / 101)
    holed = {**REFERENCE, "up": (Score(None, "dark"), *REFERENCE["up"][1:50]), "down": REFERENCE["down"]}
    fewer = Scored(INFOS, {}, {}, {**holed, "up": (*holed["up"], *REFERENCE["up"][50:])})
    assert usable.thresholds(fewer, {})["up"].threshold == Threshold(min=pytest.approx(5.95))
    only = {"up": usable.Floor(Threshold(min=0.0), "suite")}
    assert usable.reference_share(fewer, only) == pytest.approx(100 / 101)
    assert usable.reference_share(Scored(INFOS, {}, {}, {"down": REFERENCE["down"]}), only) == 0
    assert (usable.reference_share(SCORED, {}), usable.reference_share(Scored(INFOS, {}, {}), only)) == (None, None)
