"""What the report says: the leads it calls real, and the sentences it makes of them."""

from dataclasses import replace

import pytest

from tests.built_runs import Fake, build_run
from tests.report.conftest import scored
from vbench_lite.analysis.summary import summarise
from vbench_lite.records import ClipKey
from vbench_lite.report.answers.all import answers, headline
from vbench_lite.report.answers.leads import leads
from vbench_lite.report.answers.quality_and_cost import standings
from vbench_lite.report.answers.scenario_and_release import by_category
from vbench_lite.report.answers.unevenness_and_work import triage
from vbench_lite.report.data import gather
from vbench_lite.report.figures.best_of_k import best_scores
from vbench_lite.report.method import warnings
from vbench_lite.report.tables import groups, usable_estimate
from vbench_lite.run.view import Run


def report_of(*folders, generator=None):
    return gather([Run(folder, generator) for folder in folders])


def test_a_true_difference_is_called_real_and_an_absent_one_is_not(ads) -> None:
    found = leads(report_of(ads).main)
    assert (found["detail"].first.name, found["detail"].verdict) == ("tiny-diffusion", "ahead")
    assert (found["clip_frames"].first.name, found["clip_frames"].verdict) == ("tiny-transformer", "ahead")
    assert found["clip_text"].verdict == "not shown"


def test_equal_generators_are_rarely_called_different(tmp_path) -> None:
    """12 pairs of equal generators, 8 comparisons each sharing one budget of 5 %: more than 3 alarms would be a bug."""
    alarms = 0
    for seed in range(12):
        fakes = [Fake("a", "transformer"), Fake("b", "diffusion")]
        folder = scored(tmp_path / str(seed), prompts=20, generators=fakes, seed=seed, video=False)
        found = leads(report_of(folder).main)
        alarms += any(lead.real for lead in found.values())
    assert alarms <= 3


def test_with_few_prompts_nobody_is_ahead(tmp_path) -> None:
    fakes = [Fake("a", skill=5.0), Fake("b", skill=-5.0)]
    report = report_of(scored(tmp_path, prompts=3, generators=fakes, video=False))
    assert {lead.verdict for lead in leads(report.main).values()} <= {"few", "alone"}
    assert "No generator is shown to be ahead" in headline(report)


def test_six_questions_are_answered_each_with_a_sentence(ads) -> None:
    found = answers(report_of(ads))
    assert [a.key for a in found] == ["quality", "cost", "unevenness", "human-work", "scenario", "release"]
    for answer in found:
        assert answer.headline.endswith(".")
        assert "nan" not in " ".join((answer.headline, *answer.sentences)).lower().split()


def test_the_headline_names_who_is_ahead_on_what_and_the_price(ads) -> None:
    text = headline(report_of(ads))
    assert "tiny-transformer is ahead on coherence" in text
    assert "tiny-diffusion is ahead on detail" in text
    assert "on following the prompt no difference is shown" in text
    assert "1,000 usable clips cost $" in text


def test_of_three_generators_a_missing_lead_is_not_called_a_missing_difference(tmp_path) -> None:
    """The best two are alike, the third costs ten times as much and is far worse."""
    fakes = [Fake("a", device_s=0.4), Fake("b", device_s=0.4), Fake("c", skill=-4.0, device_s=4.0)]
    report = report_of(build(tmp_path, fakes, prompts=20))
    found = answers(report)
    text = " ".join((headline(report), *(s for a in found for s in (a.headline, *a.sentences))))
    assert "No generator is shown to be ahead" in headline(report)
    assert "On cost per usable clip no difference is shown between " in text
    assert "no difference shown" not in text
    assert {s.note for a in found for s in a.strips} >= {"no lead shown"}


def test_metrics_of_one_question_that_disagree_make_nobody_ahead_on_it(ads) -> None:
    found = leads(report_of(ads).main)
    other = found["detail"].first
    assert standings(report_of(ads).main, found).ahead["tiny-transformer"] == ["coherence"]
    steadier = replace(found["temporal_flickering"], first=other, verdict="ahead")
    split = standings(report_of(ads).main, found | {"temporal_flickering": steadier})
    assert (split.split, "tiny-transformer" in split.ahead) == (["coherence"], False)
    assert split.undecided == ["following the prompt"]


def test_triage_sorts_every_clip_once(ads) -> None:
    for entry in report_of(ads).main.entries:
        assert sum(triage(entry)) + entry.figures.usable == entry.grid.clips
    assert [(triage(e).failed, triage(e).missing) for e in report_of(ads).main.entries] == [(1, 0), (0, 1)]


def test_usable_by_category_agrees_with_the_whole(ads) -> None:
    scenario = report_of(ads).main
    table = by_category(scenario)
    assert set(table) == {"footwear", "drinks", "home"}
    mean = sum(shares[0] for shares in table.values()) / 3  # categories are of one size here
    assert mean == pytest.approx(scenario.entries[0].usable_share)


def test_one_generator_alone_is_reported_without_ranking(ads) -> None:
    report = report_of(ads, generator="tiny-diffusion")
    assert [e.label for e in report.main.entries] == ["tiny-diffusion"]
    assert "of the clips of tiny-diffusion are usable" in headline(report)
    assert not any(cell.lead for group in groups(report.main) for row in group.rows for cell in row.cells)


def test_nothing_usable_and_no_price_is_said_and_raises_nothing(tmp_path) -> None:
    fakes = [Fake("a", skill=-30, usd_per_device_hour=None), Fake("b", "hybrid", missing=[(n, 0) for n in range(8)])]
    report = report_of(scored(tmp_path, prompts=8, clips=1, generators=fakes, video=False))
    text = " ".join(sentence for a in answers(report) for sentence in (a.headline, *a.sentences))
    assert "none in 8" in text
    assert "no price" in text


def test_several_runs_show_the_newest_and_keep_the_older_as_history(releases) -> None:
    report = report_of(*reversed(releases))
    assert {e.run.name for e in report.main.entries} == {"v2"}
    assert [e.run.name for e in report.main.past if e.name == "tiny-diffusion"] == ["v0", "v1"]
    release = answers(report)[-1]
    assert "tiny-diffusion: better on" in " ".join(release.sentences)
    assert "usable 30 % on 2026-11-11, 70 % on 2026-11-12" in " ".join(release.sentences)


def test_results_named_one_by_one_stand_side_by_side(releases) -> None:
    report = gather([Run(releases[0], "tiny-diffusion"), Run(releases[2], "tiny-diffusion")])
    assert [e.label for e in report.main.entries] == ["tiny-diffusion (v0)", "tiny-diffusion (v2)"]


def test_runs_of_other_suites_are_other_scenarios(ads, releases) -> None:
    report = report_of(ads, releases[0])
    assert len(report.scenarios) == 2


def test_without_thresholds_usability_is_not_evaluated_and_no_cost_per_usable_clip_is_shown(tmp_path) -> None:
    run = build_run(tmp_path, prompts=8, video=False)
    summarise(run.folder, replace(run.scored, reference={}))
    report = report_of(run.folder)
    assert [entry.usable_share for entry in report.main.entries] == [None, None]
    text = " ".join((headline(report), *(s for a in answers(report) for s in (a.headline, *a.sentences))))
    assert "usable clips cost $" not in text
    assert "%" not in headline(report)
    assert "not evaluated" in " ".join(warnings(report))


def test_missing_clips_are_no_failures_and_count_in_no_share(ads) -> None:
    complete, incomplete = report_of(ads).main.entries
    assert (incomplete.figures.failed, incomplete.figures.missing) == (0, 1)
    share = usable_estimate(incomplete)
    assert (share.n, share.unscored) == (47, 1)
    assert share.value == incomplete.figures.usable / 47
    assert usable_estimate(complete).n == 48


def test_a_reason_that_reads_like_another_state_changes_no_decision(tmp_path) -> None:
    """The words of a failure are the generator's own; only its code counts."""
    run = build_run(tmp_path, prompts=6, generators=[Fake("a", failed=[(0, 0)])], video=False)
    path = run.folder.record_path(ClipKey("a", "p000", 0))
    run.folder.write_clip(replace(run.folder.read_record(path), reason="missing: conformance: 0.1 is below 1"), None)
    summarise(run.folder, run.scored)
    (entry,) = report_of(run.folder).main.entries
    found = triage(entry)
    assert (found.failed, found.missing) == (1, 0)


def swept(folder):
    """Makes the two generators of a run variants of one, by the frames of their clips."""
    manifest = folder.manifest()
    for (name, definition), frames in zip(manifest.generators.items(), (9, 17), strict=True):
        about = {"sweep": {"of": "tiny", "frames": frames}}
        manifest = replace(manifest, generators={**manifest.generators, name: replace(definition, about=about)})
    folder.write_manifest(manifest)
    return folder


def test_a_sweep_shows_how_cost_grows_and_names_nobody_ahead(tmp_path) -> None:
    fakes = [Fake("tiny@frames=9", device_s=1.0), Fake("tiny@frames=17", skill=3.0, device_s=2.0)]
    report = report_of(swept(build(tmp_path, fakes)))
    text = headline(report)
    assert "A sweep of tiny: 1,000 clips costs from $" in text
    assert "(tiny@frames=9) to $" in text
    assert "ahead" not in text
    assert "not which value is ahead" in answers(report)[0].headline


def build(path, fakes, **size):
    run = build_run(path, generators=fakes, video=False, **{"prompts": 12, **size})
    summarise(run.folder, run.scored)
    return run.folder


def test_equal_generators_are_tied_in_every_sentence_on_usable_clips(tmp_path) -> None:
    by_key = {a.key: a for a in answers(report_of(build(tmp_path, [Fake("a", skill=30.0), Fake("b", skill=30.0)])))}
    assert by_key["scenario"].headline == "a and b have equal shares of usable clips."
    assert by_key["scenario"].sentences[0] == "a: 100 % of the clips are usable in every category."


def test_a_lead_in_categories_counts_ties_apart_and_claims_no_test(tmp_path) -> None:
    fakes = [Fake("a", skill=30.0), Fake("b", skill=30.0, failed=[(0, 0), (0, 1), (3, 0)])]
    by_key = {a.key: a for a in answers(report_of(build(tmp_path, fakes)))}
    assert by_key["scenario"].headline == (
        "a has the largest share of usable clips, a difference that is not shown: in 1 of 3 categories, tied in 2. "
        "Categories are counted, not tested."
    )
    extremes = "b: most clips are usable in drinks and home (100 %), fewest in footwear (62 %)."
    assert extremes in by_key["scenario"].sentences


def test_retrying_is_priced_by_the_attempts_it_takes_and_making_all_by_their_number(ads) -> None:
    scenario = report_of(ads).main
    text = next(a for a in answers(report_of(ads)) if a.key == "unevenness").headline
    assert "costs as much as 2 clips." in text
    for entry in scenario.entries:
        assert f"{1 / entry.usable_share:.1f} clips with {entry.label}" in text


def test_a_lead_on_a_minor_metric_names_that_metric_and_not_the_question(ads) -> None:
    found = leads(report_of(ads).main)
    minor = replace(found["temporal_flickering"], verdict="ahead")
    head = replace(found["clip_frames"], verdict="not shown")
    stand = standings(report_of(ads).main, found | {"temporal_flickering": minor, "clip_frames": head})
    assert "coherence" not in stand.ahead[minor.first.label]
    assert any("flicker" in what for what in stand.ahead[minor.first.label])


def test_no_interval_leaves_the_range_of_its_metric(tmp_path) -> None:
    run = build_run(tmp_path, prompts=3, generators=[Fake("a", skill=4.0), Fake("b", skill=-4.0)], video=False)
    summary = summarise(run.folder, run.scored)
    for figures in summary.values():
        for name, estimate in figures.scores.items():
            low, high = summary.metrics[name].range
            assert low is None or estimate.low is None or estimate.low >= low, name
            assert high is None or estimate.high is None or estimate.high <= high, name
    assert summary["a"].scores["temporal_flickering"].high == 1.0, "the case reaches the end of the range"
    scenario = report_of(run.folder).main
    ends = [best_scores(scenario, scenario.entries[0], "clip_frames")[k].high for k in (0, 1)]
    assert max(ends) <= 1.0


def test_without_a_lead_the_cost_answer_states_the_prices_that_the_headline_states(ads) -> None:
    """A lead may be missing, because a cost has too few measured batches, while the prices are known."""
    from vbench_lite.report.answers.quality_and_cost import cost, prices_of_usable_clips

    scenario = gather([Run(ads)]).main
    prices = prices_of_usable_clips(scenario)
    assert prices.startswith("1,000 usable clips cost $")
    assert cost(scenario, {}).headline == prices
