"""Matplotlib drawings as SVG with the colours, fonts and theme of the page. They obey its content security policy."""

from __future__ import annotations

import html as html_library
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from vbench_lite.escaping import html
from vbench_lite.report.figures.colours import BY_HEX, INK, LINE, PAPER, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "vbench-lite", "font.family": ["sans-serif"], "font.size": 8.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": SOFT, "axes.linewidth": 0.6,
    "axes.labelcolor": SOFT, "axes.labelsize": 8, "axes.titlesize": 9, "axes.titlecolor": INK,
    "axes.titlelocation": "left", "axes.titleweight": "normal", "text.color": INK, "xtick.color": SOFT,
    "ytick.color": SOFT, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5, "xtick.major.width": 0.6,
    "ytick.major.width": 0.6, "xtick.major.size": 3, "ytick.major.size": 3, "xtick.minor.size": 0,
    "ytick.minor.size": 0, "axes.grid": False, "grid.color": LINE, "grid.linewidth": 0.5, "figure.facecolor": PAPER,
    "axes.facecolor": "none", "savefig.facecolor": PAPER, "legend.frameon": False, "axes.unicode_minus": True,
}  # fmt: skip


@contextmanager
def panel(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """Open a figure with one pair of axes in the style of the report.

    Args:
        width: In inches.
        height: In inches.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # the page draws texts with the fonts of the browser, which has signs that are missing here
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots()


def to_svg(figure: Figure) -> str:
    """The figure as a standalone SVG in the light colours. Equal drawings give equal bytes."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG with 200 dots per inch."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=200, metadata={"Software": None})
    return content.getvalue()


def _link(address: str) -> str:
    """The opening tag of a link from a mark to its clips. The keyboard skips it: the table has the same links."""
    asked = parse_qs(html_library.unescape(address[1:]))
    named = html(", ".join(text for name in ("g", "category") for text in asked.get(name, [])))
    return f'<a href="{address}" tabindex="-1" aria-label="Clips of {named}">'


def without_links(svg: str) -> str:
    """The drawing without links to clips, for a separate file, in which the links have no target."""
    return re.sub(r"</?a\b[^>]*>\s*", "", svg)


def inline(svg: str, key: str, title: str, alt: str) -> str:
    """Prepare a standalone SVG for a page: colours become variables, styles become attributes, and ids become unique.

    Args:
        svg: Result of `to_svg`.
        key: Prefix of all ids, unique on the page.
        title: Title for a screen reader. It is escaped here.
        alt: Description for a screen reader. It is escaped here.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r'style="([^"]*)"', lambda m: _attributes(m[1]), body)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda m: _named(m[0]), body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', body)
    body = re.sub(r'(xlink:href|href)="#([^"=]+)"', rf'href="#{key}-\2"', body)
    body = re.sub(r'<a xlink:href="(#[^"]+=[^"]*)"[^>]*>', lambda m: _link(m[1]), body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", body)
    box = re.search(r'viewBox="([^"]+)"', body)
    assert box is not None, "matplotlib writes a viewBox"
    role = "group" if "<a href" in body else "img"  # the role "img" must not contain links
    head = (
        f'<svg class="plot" viewBox="{box[1]}" role="{role}" aria-labelledby="{key}-t {key}-d" '
        f'stroke-linejoin="round" stroke-linecap="butt"><title id="{key}-t">{html(title)}</title>'
        f'<desc id="{key}-d">{html(alt)}</desc>'
    )
    body = re.sub(r"<svg[^>]*>", lambda _: head, body, count=1)
    return re.sub(r"\n\s*", "\n", body).strip()


def _attributes(style: str) -> str:
    """CSS declarations as presentation attributes, which the content security policy allows."""
    found = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"([\d.]+)px", value)
            found.append(f'font-size="{size[1] if size else 8}"')
            if value.startswith(("bold", "700", "600")):
                found.append('font-weight="600"')
        elif name and not name.startswith("font-family"):
            found.append(f'{name}="{value}"')
    return " ".join(found)


def _named(colour: str) -> str:
    return f"var(--{BY_HEX[colour]})" if colour in BY_HEX else colour
