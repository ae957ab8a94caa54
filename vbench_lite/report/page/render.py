"""Renders the report as one page. It works offline, sends no request, and escapes untrusted text.

Jinja escapes every name, prompt and reason. Data for the script is in JSON blocks that cannot contain a closing tag.
The content security policy allows only the style and script of this page, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from vbench_lite import __version__
from vbench_lite import formatting as words
from vbench_lite.report import glossary, method
from vbench_lite.report.answers.all import headline
from vbench_lite.report.answers.hero import heroes
from vbench_lite.report.data import Report, SuiteResult, digest
from vbench_lite.report.figures.colours import SHAPES, css, light
from vbench_lite.report.figures.cost_quality import crowded, hero_chart
from vbench_lite.report.figures.kit import FigureRenderer
from vbench_lite.report.formats.clip_board import ClipBoard
from vbench_lite.report.formats.media import Media, collect
from vbench_lite.report.output import Output
from vbench_lite.report.page.answers import named, placed_answers
from vbench_lite.report.page.clip_data import clip_data, to_json
from vbench_lite.report.page.order import sections_of
from vbench_lite.report.page.section import Scene, Section
from vbench_lite.report.page.sections import clips
from vbench_lite.report.page.sections import method as method_section
from vbench_lite.report.tables import confidence, standfirst

SCRIPTS = (
    "base", "theme", "fold", "charts", "table", "media", "view", "board", "player", "viewer", "viewer_about", "keys",
)  # fmt: skip
STYLES = ("base", "first", "table", "figures", "clips", "viewer", "narrow", "print")


def write(report: Report, output: Output) -> None:
    """Writes the page, and a folder of clips beside it if they do not fit into the page."""
    output.text(render(report, collect(report, output.place, output.clips)))


def render(report: Report, media: Media) -> str:
    """The page as text. The same report and media give the same text."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    places = [PackageLoader("vbench_lite", folder) for folder in ("report/page", "report/page/sections")]
    environment = Environment(
        loader=ChoiceLoader(places), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["named"] = lambda text: named(text, report.entries)
    meanings = {name: glossary.meaning(name, s.metrics) for s in report.scenarios for name in _defined(s)}
    versions = {name: text for s in reversed(report.scenarios) for name, text in _versions(s).items()}
    environment.globals |= {"shapes": SHAPES, "meanings": meanings, "versions": versions, "routes": glossary.ROUTES}

    def drawn(sections: Sequence[Section]) -> list[tuple[Section, Markup]]:
        return [(s, Markup(environment.get_template(s.template).render(s.data))) for s in sections]

    scenes = _scenes(report, media)
    parts = [sections_of(scene) for scene in scenes]
    last = [clips.section(report, scenes), method_section.section(scenes, meanings)]
    context = _context(report, media, scenes)
    context |= {
        "scenes": [(scene, drawn(each)) for scene, each in zip(scenes, parts, strict=True)], "last": drawn(last),
        "navigation": _navigation(scenes, parts, last),
    }  # fmt: skip
    return environment.get_template("page.html").render(context)


def _scenes(report: Report, media: Media) -> list[Scene]:
    several = len(report.scenarios) > 1
    return [
        Scene(scenario, ClipBoard(scenario, media), media, f"s{nth}-" if nth else "", several)
        for nth, scenario in enumerate(report.scenarios)
    ]


def _context(report: Report, media: Media, scenes: Sequence[Scene]) -> dict[str, Any]:
    from markupsafe import Markup

    main = report.main
    style, script = _style(), _script()
    return {
        "scenario": main, "names": words.listed(e.label for e in report.entries), "entries": report.entries,
        "version": __version__, "digest": digest(report.runs), "run_list": words.listed(r.name for r in report.runs),
        "csp": _policy(style, script, linked=bool(media.linked)), "style": Markup(style), "script": Markup(script),
        "headline": headline(report), "confidence": confidence(main), "heroes": heroes(main),
        "crowded": crowded(report.entries),
        "hero": hero_chart(main, FigureRenderer()), "hero_narrow": hero_chart(main, FigureRenderer(), narrow=True),
        "standfirst": standfirst(main), "warnings": method.warnings(report), "answers": placed_answers(report),
        "standfirsts": [f"{standfirst(s.scenario)} {confidence(s.scenario)}".strip() for s in scenes],
        "data": Markup(clip_data(report, scenes)), "media": Markup(to_json(media.embedded)),
    }  # fmt: skip


def _navigation(
    scenes: Sequence[Scene], parts: Sequence[Sequence[Section]], last: Sequence[Section]
) -> list[tuple[str, str]]:
    """Links in the head of the page: to the parts of one scenario, or to several scenarios."""
    middle = [(section.key, section.short) for section in parts[0]]
    if len(scenes) > 1:
        middle = [(f"{scene.prefix}numbers", scene.scenario.suite.name) for scene in scenes]
    found = [("answers", "Answers"), *middle, *((section.key, section.short) for section in last)]
    return [(key, short) for key, short in found if short]


def _asset(folder: str, name: str) -> str:
    return (files("vbench_lite.report.page") / folder / name).read_text("utf-8")


def _of_sections(ending: str) -> str:
    """Style or script of the sections."""
    found = (files("vbench_lite.report.page") / "sections").iterdir()
    chosen = sorted((path for path in found if path.name.endswith(ending)), key=lambda path: path.name)
    return "".join(path.read_text("utf-8") for path in chosen)


def _style() -> str:
    text = "".join(_asset("style", f"{name}.css") for name in STYLES)
    return css() + text.replace("LIGHT", light()) + _of_sections(".css")


def _script() -> str:
    """All files as one function, so that their names are local."""
    text = "\n".join(_asset("script", f"{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{text}\n{_of_sections(".js")}start();\n}})();\n'


def _policy(style: str, script: str, *, linked: bool) -> str:
    """Allows style and script by digest, and clips from the page or the folder beside it; no other requests."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return "; ".join(
        (
            "default-src 'none'", f"style-src {digest(style)}", f"script-src {digest(script)}", "img-src data:",
            "media-src 'self' file: data:" if linked else "media-src data:", "base-uri 'none'", "form-action 'none'",
        )
    )  # fmt: skip


def _defined(scenario: SuiteResult) -> list[str]:
    ordered = [name for names in glossary.by_question(scenario.metrics).values() for name in names]
    return [*ordered, "usable", *glossary.COSTS]


def _versions(scenario: SuiteResult) -> dict[str, str]:
    return {
        name: f"Version {info.version}" + (f", on {info.backbone}" if info.backbone else "") + "."
        for name, info in scenario.metrics.items()
    }
