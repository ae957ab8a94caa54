"""The torchmetrics classes, tested as torchmetrics tests its own: batches, merged states, copies, collections."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torchmetrics import Metric, MetricCollection

from vbench_lite import metrics
from vbench_lite.backbones import Backbones
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.errors import MetricError
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.video import Video
from vbench_lite.metrics import SetMetric, SetScore, score_clips, shipped_metrics, torch_metric
from vbench_lite.records import ClipSpec, Estimate
from vbench_lite.world import held_out_compositions, render

COMPOSITIONS = held_out_compositions()[::9][:8]
PROMPTS = [composition.caption for composition in COMPOSITIONS]
OF_IMAGES = {"first_frame_similarity", "reference_image_similarity"}
"""They need a prompt's image, which the torchmetrics classes do not take."""
PER_CLIP = [
    name for name, metric in shipped_metrics().items()
    if metric.per == "clip" and "builtin" in metric.sets and name not in OF_IMAGES
]  # fmt: skip
PER_SET = [name for name, metric in shipped_metrics().items() if metric.per == "set"]


@pytest.fixture(scope="module")
def clips():
    return np.stack([render(composition, 0, 5, 32, 32) for composition in COMPOSITIONS])


@pytest.fixture(scope="module")
def real():
    return np.stack([render(composition, 1, 5, 32, 32) for composition in COMPOSITIONS])


def made(name, real):
    metric = torch_metric(shipped_metrics()[name])
    return metric(reference=real) if name == "detail" else metric()


def streamed(metric, clips, sizes):
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        metric.update(clips[part], prompts=PROMPTS[part], fps=8.0)
        start += size
    return metric


@pytest.mark.parametrize("name", PER_CLIP)
def test_batches_merged_states_copies_and_pickles_give_the_mean_of_the_whole(name, clips, real):
    given = {"prompts": PROMPTS, "fps": 8.0, "reference": real if name == "detail" else None}
    expected = np.mean([s.value for s in score_clips(shipped_metrics()[name](), clips, **given)])
    first = streamed(made(name, real), clips, [3, 1, 4])
    assert isinstance(first, Metric)
    assert float(first.compute()) == pytest.approx(expected, abs=1e-12)
    left, right = streamed(made(name, real), clips, [5]), made(name, real)
    right.update(torch.from_numpy(clips[5:]), prompts=PROMPTS[5:], fps=8.0)
    left.merge_state(right)
    for same in (left, pickle.loads(pickle.dumps(left)), copy.deepcopy(left), left.clone()):
        assert float(same.compute()) == pytest.approx(expected, abs=1e-12)
    assert type(pickle.loads(pickle.dumps(left))) is type(left)
    left.reset()
    left.update(clips[:1])
    assert int(left.scored) + int(left.unscored) == 1


@pytest.mark.parametrize("name", PER_CLIP)
def test_forward_gives_the_value_of_the_batch_and_accumulates(name, clips, real):
    metric = made(name, real)
    batch = metric(clips[:3], prompts=PROMPTS[:3], fps=8.0)
    assert float(batch) == pytest.approx(float(streamed(made(name, real), clips, [3]).compute()), abs=1e-12)
    metric(clips[3:], prompts=PROMPTS[3:], fps=8.0)
    assert float(metric.compute()) == pytest.approx(float(streamed(made(name, real), clips, [8]).compute()), abs=1e-12)


@pytest.mark.parametrize("name", PER_SET)
def test_distances_stream_merge_pickle_and_accept_features(name, clips, real):
    whole, parts, left, right = (made(name, real) for _ in range(4))
    whole.update(generated=clips, reference=real)
    for start in range(0, 8, 3):
        parts.update(generated=torch.from_numpy(clips[start : start + 3]))
        parts.update(reference=real[start : start + 3])
    left.update(generated=clips[:2], reference=real[:5])
    right.update(generated=clips[2:], reference=real[5:])
    left.merge_state(right)
    expected = float(whole.compute())
    features = made(name, real)
    features.update(generated=torch.cat(whole.generated), reference=torch.cat(whole.reference).numpy())
    for same in (parts, left, pickle.loads(pickle.dumps(left)), copy.deepcopy(left), features):
        assert float(same.compute()) == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(getattr(metrics, name)(clips, real), rel=1e-9)


def test_too_few_clips_have_no_distance():
    metric = metrics.Fvd()
    metric.update(generated=np.zeros((1, 5)), reference=np.zeros((1, 5)))
    assert metric.compute() is None


def test_a_distance_of_features_is_that_of_the_published_formula_in_float64():
    rows = np.random.default_rng(0).normal(size=(24, 3))
    formulas = {
        "fvd": frechet_distance,
        "kvd": lambda *sides: kernel_interval(*sides, *([""] * len(side) for side in sides)).value,
    }
    for name, formula in formulas.items():
        metric = made(name, None)
        metric.update(generated=rows[:10], reference=torch.from_numpy(rows[10:]).float())
        metric.update(generated=rows[10:12])
        expected = formula(rows[:12], rows[10:].astype("f4").astype(float))
        assert metric.compute() == torch.tensor(expected, dtype=torch.float64)
        assert metric.compute().dtype == torch.float64
        only = made(name, None)
        only.update(generated=rows)
        assert only.compute() is None
        only.reset()
        only.update(reference=rows)
        assert only.compute() is None


class OwnSet(SetMetric):
    """Differences in number."""

    name, title, unit, version = "own_set", "Own", "clips", "1"
    higher_is_better, range, description, pitfalls = None, (0.0, float("inf")), "What it means.", "What it hides."
    source, licence, extractors, default_backbones = "a paper", "MIT", (Video,), "mine"

    def score(self, context):
        forms = [(c.frames, c.height, c.width, c.fps, c.uneven) for c in (*context.generated, *context.reference)]
        assert forms == [(0, 0, 0, 0.0, False)] * len(forms)
        assert context.generated_prompts == [""] * len(context.generated)
        assert context.reference_prompts == [""] * len(context.reference)
        return SetScore(Estimate(len(context.generated) - len(context.reference)))


def test_a_users_metric_of_sets_streams_features_and_is_documented():
    made = torch_metric(OwnSet)
    assert made is torch_metric(OwnSet)
    metric = made()
    metric.update(generated=np.zeros((3, 2)), reference=np.zeros((5, 2)))
    assert metric.compute() == -2
    for side in ("generated", "reference"):
        alone = made()
        alone.update(**{side: np.zeros((3, 2))})
        assert alone.compute() is None
    assert (metric.backbones, made("other").backbones, made(sync_on_compute=False).sync_on_compute) == (
        "mine", "other", False,
    )  # fmt: skip
    assert (made.__name__, made.__qualname__, made.__module__) == ("OwnSet", "OwnSet", "vbench_lite.metrics")
    head, _, arguments = made.__doc__.partition("Args:\n")
    assert head == (
        "Differences in number.\n\nWhat it means.\n\nUnit: clips; reported only, never ranked; from 0 to inf\n\n"
        "Version: 1\n\nPitfalls: What it hides.\n\nSource: a paper\n\nLicence: MIT\n\n"
    )
    assert [line[:14] for line in arguments.splitlines()] == ["    backbones:", "    settings: ", ""]
    more = type("More", (OwnSet,), {"extractors": (Video, Pixels)})
    with pytest.raises(MetricError, match=r'^the set metric "own_set" cannot be streamed: it reads more than "video"'):
        torch_metric(more)


@pytest.mark.parametrize(("name", "direction"), [("Detail", "higher"), ("WarpError", "lower")])
def test_a_shipped_class_is_documented_with_an_example(name, direction):
    kind = getattr(metrics, name)
    assert f"; {direction} is better; from 0 to 1\n\nVersion: " in kind.__doc__
    assert "Licence: " not in kind.__doc__
    arguments, _, example = kind.__doc__.partition("Args:\n")[2].partition("\n\n")
    assert [line[:9].rstrip(":") for line in arguments.splitlines()] == [
        "    refer", "    spec", "    backb", "    setti",
    ]  # fmt: skip
    assert example == (
        f"Example:\n    >>> from vbench_lite.metrics.{kind.metric.name} import {name}\n"
        f"    >>> torch_metric({name})().higher_is_better\n    {direction == 'higher'}\n"
    )
    assert "Example:" not in metrics.Motion.__doc__
    with pytest.raises(AttributeError, match="has no attribute 'Absent'"):
        metrics.Absent  # noqa: B018


def test_form_rate_and_networks_are_passed_on_and_sums_are_float64(clips):
    metric = metrics.Conformance(spec=ClipSpec(5, 8.0, 32, 32))
    metric.update(clips[:2], fps=8.0)
    assert (float(metric.compute()), int(metric.scored)) == (1, 2)
    metric.update(clips[:1], fps=9.0)
    metric.update(clips[:1])
    assert float(metric.compute()) == 0.5
    assert {metric.total.dtype, metric.compute().dtype} == {torch.float64}
    assert {metric.scored.dtype, metric.unscored.dtype} == {torch.long}
    assert metrics.Conformance(sync_on_compute=False).sync_on_compute is False
    empty = metrics.WarpError()
    with pytest.warns(UserWarning, match="before"):
        assert empty.compute() is None
    nothing = Backbones("none")
    lacking = metrics.ClipFrames(backbones=nothing)
    lacking.update(clips[:2])
    assert (lacking.backbones, lacking.compute(), int(lacking.unscored)) == (nothing, None, 2)
    assert (metrics.ClipFrames().backbones, metrics.SubjectConsistency().backbones) == ("builtin", "vbench")
    moving = metrics.Motion()
    moving.update(clips[:1])
    assert int(moving.unscored) == 1, "the rate is unknown unless it is given"
    restored = pickle.loads(pickle.dumps(metric))
    assert (restored.spec, float(restored.compute())) == (metric.spec, 0.5)


def test_unscored_clips_are_counted_and_never_averaged_in(clips):
    metric = metrics.WarpError()
    metric.update(clips[:2])
    value = float(metric.compute())
    metric.update(clips[:3, :1])
    assert float(metric.compute()) == value
    assert (int(metric.scored), int(metric.unscored)) == (2, 3)


def test_a_collection_updates_all_with_one_call(clips, real):
    collection = MetricCollection([metrics.TemporalFlickering(), metrics.Motion(), metrics.Detail(reference=real)])
    collection.update(clips, fps=8.0)
    found = collection.compute()
    assert set(found) == {"TemporalFlickering", "Motion", "Detail"}
    assert float(found["Motion"]) == pytest.approx(np.mean(metrics.motion(clips, fps=8.0)), abs=1e-12)


def test_every_class_and_function_is_in_all_and_has_a_docstring():
    for name, metric in shipped_metrics().items():
        function, kind = getattr(metrics, name), getattr(metrics, metric.__name__)
        assert {name, metric.__name__} <= set(metrics.__all__)
        assert callable(function)
        assert all(part in function.__doc__ for part in ("Args:", "Returns:", "Raises:", "Example:")), name
        assert kind.__name__ == metric.__name__
        assert kind().higher_is_better is metric.higher_is_better


@pytest.mark.parametrize(
    "bad",
    [np.zeros((2, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((2, 8, 8, 4), np.uint8),
     np.zeros((0, 8, 8, 3), np.uint8), torch.zeros(2, 3, 8, 8)],
)
def test_what_is_no_clip_is_refused_with_the_expected_shape(bad):
    with pytest.raises(ValueError, match="expected uint8"):
        metrics.temporal_flickering(bad)


def test_tensors_and_arrays_give_the_same(clips):
    assert np.array_equal(metrics.temporal_flickering(clips), metrics.temporal_flickering(torch.from_numpy(clips)))
    assert metrics.temporal_flickering(clips[0]) == metrics.temporal_flickering(clips)[0]
