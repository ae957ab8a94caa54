"""Hooks of the documentation site: generated pages of the catalogue, and links to files outside docs/.

Everything but the hooks themselves works without mkdocs, so that tests can call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vbench_lite.cli.list_command import describe_price
from vbench_lite.environment import REPOSITORY
from vbench_lite.inputs.catalogue import read_definition
from vbench_lite.inputs.shipped import shipped_folder
from vbench_lite.metrics import shipped_metrics
from vbench_lite.metrics.base import Metric
from vbench_lite.records import Definition

ROOT = Path(__file__).parents[1]
LINK_OUT = re.compile(r"(!?)\[([^\]]*)\]\(((?:\.\./)+)([^)]*)\)")
LOADED = re.compile(r"<(?:script|img|iframe|video)[^>]+src=\"https?://[^\"]+\"|<link[^>]+href=\"https?://[^\"]+\"")


def generator_pages() -> Iterator[tuple[str, str]]:
    """(path in the site, text) of one page per generator that ships."""
    folder = shipped_folder("generators")
    for path in sorted([*folder.glob("*.toml"), *folder.glob("*/*.toml")], key=lambda path: path.stem):
        yield f"reference/generators/{path.stem}.md", generator_page(read_definition(path), path)


def generator_page(definition: Definition, path: Path) -> str:
    """Facts of a definition, how to try it, and the file itself."""
    spec = definition.clip
    rows = {
        "route": definition.route,
        "adapter": f"`{definition.adapter}`",
        "model": "" if Path(definition.model).is_absolute() or not definition.model else f"`{definition.model}`",
        "clip": f"{spec.frames} frames, {spec.fps:g} a second, {spec.width} x {spec.height}",
        "price": describe_price(definition),
        "licence": definition.licence,
        "source": definition.source,
        **{name.replace("_", " "): value for name, value in definition.about.items()},
    }
    how = "--limit 2" if definition.name.startswith("tiny-") else "--dry-run"
    return "\n\n".join([
        f"# {definition.name}",
        table(rows),
        f"```sh\nvbench run --suite ads -g {definition.name} {how}\n```",
        "The keys of a definition and the settings of each adapter: [Generators](../../generators.md).",
        f"```toml title=\"{path.relative_to(ROOT).as_posix()}\"\n{path.read_text('utf-8').rstrip()}\n```\n",
    ])  # fmt: skip


def metric_pages() -> Iterator[tuple[str, str]]:
    """(path in the site, text) of one page per metric that ships."""
    for metric in shipped_metrics().values():
        yield f"reference/metrics/{metric.name}.md", metric_page(metric)


def metric_page(metric: type[Metric]) -> str:
    """A metric's own description, and its function."""
    low, high = metric.range
    direction = {True: "higher is better", False: "lower is better", None: "reported, never ranked"}
    rows = {
        "column": f"`{metric.name}`",
        "one value per": metric.per,
        "direction": direction[metric.higher_is_better],
        "unit": metric.unit,
        "range": f"{low:g} to {high:g}".replace("inf", "infinity"),
        "version": metric.version,
        "network": metric.backbone() or "none",
        "sets": ", ".join(f"`{name}`" for name in metric.sets),
        "must rise with": ", ".join(metric.rises_with),
        "must fall with": ", ".join(metric.falls_with),
        "must not move with": ", ".join(metric.unmoved_by),
        "source": metric.source,
        "licence of its weights": metric.licence,
    }
    return "\n\n".join([
        f"# {metric.title}",
        metric.description,
        f"**When it misleads.** {metric.pitfalls}" if metric.pitfalls else "",
        table(rows),
        f"```sh\nvbench score results/ads --metrics {metric.name}\n```",
        "## In Python",
        f"::: {metric.__module__}.{metric.name}\n",
    ])  # fmt: skip


def table(rows: dict[str, Any]) -> str:
    """Two columns; rows without a value are left out."""
    lines = [f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in rows.items() if value]
    return "\n".join(["| | |", "|---|---|", *lines])


def with_links_out(markdown: str, page: str) -> str:
    """A page's text in which links that leave docs/ lead to the repository, and pictures to their copies in the site.

    >>> with_links_out("![A card](../generators/x/card.jpg)", "world.md")
    '![A card](generators/x/card.jpg)'
    """
    depth = page.count("/")

    def replaced(match: re.Match[str]) -> str:
        sign, text, up, target = match.groups()
        if up.count("../") <= depth:
            return match[0]
        return f"{sign}[{text}]({up[3:] if sign else f'{REPOSITORY}/blob/main/'}{target})"

    return LINK_OUT.sub(replaced, markdown)


def pictures_outside(markdown: str, page: str) -> list[str]:
    """Paths in the repository of the pictures that a page shows from outside docs/."""
    depth = page.count("/")
    return [target for sign, _, up, target in LINK_OUT.findall(markdown) if sign and up.count("../") > depth]


def with_generated(nav: list[Any], pages: dict[str, list[str]], unnamed: list[str]) -> list[Any]:
    """The navigation with the pages of "generators/" and "metrics/", and with the unnamed pages among the guides."""
    result: list[Any] = []
    for entry in nav:
        (title, value), *_ = entry.items() if isinstance(entry, dict) else [("", entry)]
        if isinstance(value, list):
            result.append({title: with_generated(value, pages, []) + (unnamed if title == "How-to guides" else [])})
        else:
            result.append({title: pages[value]} if value in pages else entry)
    return result


def names_in(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from names_in(value) if isinstance(value, list) else [value]


def on_files(files: Any, config: Any) -> Any:
    from mkdocs.structure.files import File

    generators, metrics = list(generator_pages()), list(metric_pages())
    written = [file for file in files.documentation_pages() if file.src_uri]
    unnamed = sorted({file.src_uri for file in written} - set(names_in(config.nav)))
    pages = {"generators/": [uri for uri, _ in generators], "metrics/": [uri for uri, _ in metrics]}
    config.nav = with_generated(config.nav, pages, unnamed)
    for uri, text in [*generators, *metrics]:
        files.append(File.generated(config, uri, content=text))
    for picture in {path for file in written for path in pictures_outside(file.content_string, file.src_uri)}:
        files.append(File.generated(config, picture, abs_src_path=str(ROOT / picture)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    return with_links_out(markdown, page.file.src_uri)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    from mkdocs.exceptions import PluginError

    if found := LOADED.search(output):
        raise PluginError(f"{page.file.src_uri} loads something from the network: {found[0]}")
    return output
