"""The best and the worst clip of each generator, as pictures that can be printed."""

from __future__ import annotations

from collections.abc import Iterable

from vbench_lite import formatting as words
from vbench_lite.report import glossary
from vbench_lite.report.formats.media import clip_file, poster
from vbench_lite.report.page.section import Scene, Section


def sections(scene: Scene) -> Iterable[Section]:
    """One section if any clip was generated."""
    found = scene.board.highlights()
    if not found:
        return
    scenario = scene.scenario
    ranked_by = words.listed(glossary.inline(scenario.title_of(metric)) for metric in scenario.per_clip)
    where = "scenario" if scene.several else "page"
    pairs = [
        (entry, [(name, card, poster(clip_file(entry, card.row, card.index))) for name, card in pair])
        for entry, pair in found
    ]
    yield Section(
        "extremes", "The best and the worst clip of each", "extremes.html",
        f"By the mean rank of a clip over {ranked_by}, among all clips of this {where}.", printed=True,
        data={"pairs": pairs},
    )  # fmt: skip
