"""What images gain: one figure and one sentence, from generators that were run without and with them."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.built_runs import Fake
from tests.report.conftest import give_image, scored
from vbench_lite.analysis.answers.image_gain import image_gains
from vbench_lite.analysis.family import Outcome
from vbench_lite.report import write_report
from vbench_lite.report.data import Report, gather
from vbench_lite.report.figures.image_gain import image_gain
from vbench_lite.report.figures.kit import FigureRenderer
from vbench_lite.report.figures.sweep import curves
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run

WAYS = ("text", "image+text")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Images help the token model much, and the diffusion model not at all; the first prompt keeps its image."""
    skills = {"tok": (-1.0, 2.0), "dif": (0.0, 0.0)}
    routes = {"tok": "transformer", "dif": "diffusion"}
    fakes = [
        Fake(f"{of}@inputs={way}", routes[of], skill=skill, device_s=0.5)
        for of, both in skills.items() for way, skill in zip(WAYS, both, strict=True)
    ]  # fmt: skip
    folder = scored(tmp_path_factory.mktemp("gain") / "run", prompts=24, generators=fakes, video=False)
    manifest = json.loads(folder.manifest_path.read_text())
    for of in skills:
        for way in WAYS:
            manifest["generators"][f"{of}@inputs={way}"]["about"] = {"sweep": {"of": of, "inputs": way}}
    folder.manifest_path.write_text(json.dumps(manifest))
    give_image(folder)
    return folder


def report_of(folder: RunFolder) -> Report:
    return gather([Run(folder)])


def test_each_generator_is_compared_with_itself_and_the_leads_are_told_apart(run: RunFolder) -> None:
    found = image_gains([entry.side for entry in report_of(run).main.entries])
    assert found is not None
    tok, dif = found.gains
    assert (tok.of, dif.of) == ("tok", "dif")
    usable = tok.comparisons["usable"]
    assert usable.words is Outcome.BETTER
    figures = tok.image.figures
    assert figures.usable is not None
    assert usable.candidate == figures.usable / figures.tried
    assert dif.comparisons["usable"].words is Outcome.NO_DIFFERENCE
    assert found.lead_of_texts is not None
    assert found.lead_of_images is not None
    assert found.lead_of_texts.first.generator == "dif@inputs=text"
    assert found.lead_of_images.first.generator == "tok@inputs=image+text"


def test_the_figure_and_its_sentence(run: RunFolder) -> None:
    scenario = report_of(run).main
    figure = image_gain(scenario, FigureRenderer())
    assert figure is not None
    assert [panel.name for panel in figure.panels][:2] == ["image-usable", "image-usd_per_usable_clip"]
    assert re.match(
        r"With its image, tok makes \d+ % usable clips instead of \d+ % \(better with the images\), and "
        r"1,000 usable clips cost \$[\d.]+ instead of \$[\d.]+; dif makes \d+ % .* \(no difference shown\)",
        figure.caption,
    )
    assert "The diffusion route leads on usable clips without images" in figure.caption
    assert "With images, the transformer route leads" in figure.caption
    assert [row[:2] for row in figure.rows[:2]] == [("tok", "Usable clips"), ("dif", "Usable clips")]
    assert curves(scenario) == []  # text and image are not two values of a swept setting


def test_without_both_ways_there_is_no_figure(ads: RunFolder) -> None:
    assert image_gain(report_of(ads).main, FigureRenderer()) is None


def test_the_page_shows_the_image_beside_the_clips_of_its_prompt(run: RunFolder, tmp_path: Path) -> None:
    page = write_report([Run(run)], tmp_path / "page.html").read_text()
    assert "Effect of the images" in page
    uris = re.findall(r'"image":"(data:image/jpeg;base64,[^"]+)"', page)
    assert len(uris) == 1
    shown = Image.open(io.BytesIO(base64.b64decode(uris[0].partition(",")[2])))
    assert shown.size == (256, 171)
