"""How metrics are found and selected, and the message for each invalid one."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from vbench_lite.errors import MetricError, UnknownName
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.video import Video
from vbench_lite.metrics import ClipMetric, SetMetric, known_metrics, registry, select, shipped_metrics
from vbench_lite.metrics.detail import Detail
from vbench_lite.metrics.registry import checked, default_sets, extractors_of, load_networks, networks_of

OWN = '''
from vbench_lite.features.pixels import Pixels
from vbench_lite.metrics import ClipMetric
class {0}(ClipMetric):
    name, title, unit, version = "{1}", "Own", "x", "1"
    higher_is_better, range, description = True, (0.0, 1.0), "Own."
    extractors = (Pixels,)
    def score(self, context): return 0.5
'''
BUILTIN = [name for name, metric in shipped_metrics().items() if "builtin" in metric.sets and not metric.for_images]
VBENCH = [name for name, metric in shipped_metrics().items() if "vbench" in metric.sets]
IMAGES = ["first_frame_similarity", "reference_image_similarity"]
JUDGE = 'version = "1"\ncommand = ["a", "{clip}"]\n[[score]]\nname = "sharp"\nrange = [0, 1]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    (tmp_path / "metrics").mkdir()
    return tmp_path


def names(wanted=None, *given, **more):
    return [metric.name for metric in select(wanted, *given, **more)]


def test_sets_and_names_select_in_their_order(folder):
    assert names() == BUILTIN == names("builtin")
    assert {*names(images=True)} == {*BUILTIN, *IMAGES}
    assert names(None, "vbench") == [n for n in shipped_metrics() if n in {*BUILTIN, *VBENCH}]
    assert names("vbench") == VBENCH
    assert names("scenario") == [
        "long_range_consistency", "shape_stability", "motion_adherence", "loop_seam",
    ]  # fmt: skip
    assert names("all") == [name for name in shipped_metrics() if name not in IMAGES]
    assert names("all", images=True) == [*shipped_metrics()]
    assert names(" motion , detail,motion") == ["motion", "detail"]
    assert names(["motion", Detail, "first_frame_similarity"]) == ["motion", "detail", "first_frame_similarity"]
    assert type(select([Detail])[0]) is Detail
    assert (default_sets("builtin"), default_sets("vbench")) == ({"builtin"}, {"builtin", "vbench"})


def test_metrics_of_the_folder_follow_the_shipped_ones_except_those_with_an_underscore(folder):
    (folder / "metrics" / "b.py").write_text(OWN.format("Second", "second"))
    (folder / "metrics" / "a.py").write_text(OWN.format("First", "first") + OWN.format("Other", "other"))
    (folder / "metrics" / "_c.py").write_text("raise RuntimeError")
    assert names() == [*BUILTIN, "first", "other", "second"]
    assert names("builtin") == BUILTIN
    assert [*known_metrics()] == [*shipped_metrics(), "first", "other", "second"]
    assert names("second,metrics/a.py") == ["second", "first", "other"]


def test_programs_are_scores_only_where_they_are_named(folder):
    (folder / "metrics" / "sharpness.toml").write_text(JUDGE)
    assert names() == BUILTIN
    assert names("sharpness") == names("metrics/sharpness.toml") == ["sharp"]
    assert [m.name for m in registry.known_programs()][:1] == ["sharp"]
    assert len(registry.known_programs()) == 4
    (folder / "again.toml").write_text(JUDGE)
    with pytest.raises(MetricError, match=r'^two metrics are called "sharp": a score of sharpness.toml and a score of '
                       r"again\.toml\. Rename one of them\.$"):  # fmt: skip
        select("sharpness,again.toml")
    (folder / "own.py").write_text(OWN.format("Sharp", "sharp"))
    with pytest.raises(MetricError, match=r"a score of sharpness.toml and Sharp in .*own\.py\. Rename"):
        select("sharpness,own.py")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("motoin", 'no metric or set of metrics named "motoin". Did you mean "motion"? See them with: vbench list'),
        ("scenarios", '"scenarios". Did you mean "scenario"?'), ("videoscore", '. Did you mean "videoscore2"?'),
        ("videoscore2.toml", 'no file of metrics named "videoscore2.toml". Did you mean "videoscore2"? See them with:'),
        ("metrics/no.py", 'no file of metrics named "metrics/no.py". See them with: vbench list metrics'),
        ("no_such.thing:Thing", 'module named "no_such.thing". "no_such.thing:Thing" must be importable from {cwd}'),
        ("vbench_lite.metrics.detail:Detal", 'no class named "Detal". Did you mean "Detail"? "vbench_lite.metrics'),
        ("vbench_lite.metrics.detail:closeness", '"vbench_lite.metrics.detail:closeness" is not a metric: '),
        ([int], "<class 'int'> is not a metric: expected a subclass of ClipMetric or SetMetric"),
        ([3], "3 is not a metric: "), ([ClipMetric], '"name" is missing: expected a text'),
    ],
)  # fmt: skip
def test_what_cannot_be_found_is_named_with_the_nearest(folder, wanted, message):
    with pytest.raises((UnknownName, MetricError)) as error:
        select(wanted)
    assert message.format(cwd=folder) in str(error.value)


def test_a_class_is_imported_from_the_working_folder_and_its_own_errors_are_shown(folder):
    (folder / "mine_xyz.py").write_text(OWN.format("Own", "own"))
    (folder / "mine_broken.py").write_text("import not_installed_library")
    assert names("mine_xyz:Own") == ["own"]
    assert sys.path[0] == str(folder)
    assert names("mine_xyz:Own,detail") == ["own", "detail"]
    assert sys.path.count(str(folder)) == 1
    with pytest.raises(ModuleNotFoundError, match="not_installed_library"):
        select("mine_broken:Own")
    sys.path[:] = ["", *[entry for entry in sys.path if entry != str(folder)]]
    assert names("mine_xyz:Own") == ["own"]
    assert str(folder) not in sys.path, "the empty entry is the working folder"


def test_a_file_with_a_metric_of_another_module_or_none_is_refused(folder):
    (folder / "none.py").write_text("from vbench_lite.metrics.detail import Detail, ClipMetric\nclass Other: pass\n")
    with pytest.raises(MetricError, match=r"^none\.py defines no metric: expected "):
        select("none.py")
    (folder / "loop.py").symlink_to("loop.py")
    with pytest.raises(MetricError, match=r"^loop\.py cannot be read: "):
        select("loop.py")


def test_an_entry_point_is_checked_and_named(monkeypatch):
    point = SimpleNamespace(name="theirs", load=lambda: int)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "vbench_lite.metrics" else [])
    with pytest.raises(MetricError, match=r'^the entry point "theirs" is not a metric: '):
        registry.user_metrics()
    point.load = lambda: Detail
    assert registry.user_metrics() == {"detail": Detail}
    assert [*known_metrics()] == [*shipped_metrics()], "the same class twice is one metric"


def metric_with(**changed):
    body = {
        "name": "own", "title": "Own", "unit": "x", "version": "1", "description": "Own.", "higher_is_better": None,
        "range": (0, 1.5), "extractors": (Pixels,), "score": lambda self, context: 0.5, **changed,
    }  # fmt: skip
    return type("Own", (changed.pop("base", ClipMetric),), {k: v for k, v in body.items() if v is not ...})


def extractor(**changed):
    body = {"name": "green", "version": "1", "start": len, "see": len, "finish": len, "backbone": None, **changed}
    return (type("Green", (), {k: v for k, v in body.items() if v is not ...}),)


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"name": "o" * 60}, {"name": "o_2"}, {"question": "detail"}, {"higher_is_better": False},
        {"range": (float("-inf"), float("inf"))}, {"extractors": ()}, {"extractors": extractor()},
        {"extractors": extractor(backbone="image")}, {"extractors": extractor(backbone=...)}, {"base": SetMetric},
    ],
)  # fmt: skip
def test_a_valid_class_is_returned(changed):
    metric = metric_with(**changed)
    assert checked(metric, "here") is metric


NAME = "expected up to 60 lower-case letters, digits and _, and "
RANGE = "expected (smallest, largest) possible value"
BACKBONE = "expected one of image, video, dino, raft, aesthetic, imaging"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ...}, '"name" is missing: expected a text'), ({"name": 3}, '"name" is 3: expected a text'),
        ({"title": " "}, "\"title\" is ' ': expected a text"), ({"unit": ""}, "\"unit\" is '': expected a text"),
        ({"version": 1}, '"version" is 1: expected a text'), ({"description": ...}, '"description" is missing'),
        ({"name": "o" * 61}, NAME), ({"name": "2o"}, NAME), ({"name": "Own"}, f"\"name\" is 'Own': {NAME}"),
        ({"name": "scenario"}, NAME), ({"name": "reason"}, NAME), ({"name": "a-b"}, NAME),
        ({"higher_is_better": ...}, '"higher_is_better" is missing: expected True, False, or None'),
        ({"higher_is_better": 1}, '"higher_is_better" is missing: expected True, False, or None'),
        ({"question": "speed"}, "\"question\" is 'speed': expected one of coherence, detail, prompt, set, or \"\""),
        ({"range": ...}, f'"range" is missing: {RANGE}'), ({"range": [0, 1]}, f'"range" is [0, 1]: {RANGE}'),
        ({"range": (0,)}, RANGE), ({"range": (0, 1, 2)}, RANGE), ({"range": (1, 1)}, RANGE),
        ({"range": (2, 1)}, RANGE), ({"range": ("0", 1)}, RANGE), ({"range": (0, None)}, RANGE),
        ({"range": 3}, RANGE), ({"score": ...}, '"score" is missing: expected a method score(self, context)'),
        ({"score": ..., "base": SetMetric}, '"score" is missing: expected a method score(self, context)'),
        ({"extractors": Pixels}, '"extractors" is <class'), ({"extractors": [Pixels]}, "expected a tuple of classes"),
        ({"extractors": (Pixels, "flow")}, "expected a tuple of classes; write (Name,) for a single one"),
        ({"extractors": extractor(name=...)}, '"extractors: Green.name" is missing: expected a text'),
        ({"extractors": extractor(version=2)}, '"extractors: Green.version" is 2: expected a text'),
        ({"extractors": (Pixels, *extractor(start=...))}, '"extractors: Green.start" is missing: expected a method'),
        ({"extractors": extractor(see=3)}, '"extractors: Green.see" is missing: expected a method'),
        ({"extractors": extractor(finish=...)}, '"extractors: Green.finish" is missing: expected a method'),
        ({"extractors": extractor(backbone="eyes")}, f"\"extractors: Green.backbone\" is 'eyes': {BACKBONE}"),
    ],
)  # fmt: skip
def test_an_invalid_class_is_refused_with_the_attribute_and_what_is_expected(changed, message):
    with pytest.raises(MetricError) as error:
        checked(metric_with(**changed), "here")
    assert str(error.value).startswith("here: ")
    assert message in str(error.value)
    assert str(error.value).endswith(". See docs/metrics.md.")


def test_extractors_and_networks_of_metrics():
    chosen = select("motion,detail,clip_text,fvd,clip_frames")
    assert [e.name for e in extractors_of(chosen)] == ["flow", "pixels", "image_text", "video"]
    assert networks_of(chosen) == {"image", "video"}
    assert networks_of(select("motion,detail")) == set()
    twice = [metric_with(name="one")(), metric_with(name="two", extractors=extractor(name="pixels"))()]
    with pytest.raises(MetricError, match=r'^two feature extractors are called "pixels". Rename the extractor of the '
                       r'metric "two"\.$'):  # fmt: skip
        extractors_of(twice)


def test_only_the_networks_of_the_metrics_are_loaded(monkeypatch):
    none, image = (load_networks(select(name), "builtin") for name in ("motion", "clip_frames"))
    assert (none.image, none.video, image.video) == (None, None, None)
    assert image.image.embed_texts(["a red cup"]).shape[0] == 1
    asked = []
    monkeypatch.setattr(registry.networks, "load", lambda *given, **more: asked.append((given, more)))
    load_networks(select("fvd,clip_text"), "mine.toml", "cuda:1")
    load_networks(select("motion"), "mine.toml")
    more = {"partial": True}
    assert asked == [
        (("mine.toml",), {"device": "cuda:1", "kinds": {"image", "video"}, **more}),
        (("mine.toml",), {"device": "cpu", "kinds": set(), **more}),
    ]
    assert (ImageText.backbone, Video.backbone) == ("image", "video")
    assert np.isfinite(image.image.embed_texts(["a red cup"])).all()
