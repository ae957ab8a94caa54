"""Takes the pictures of the report that the README and docs/report.md show, and measures how the page behaves.

    python benchmarks/screens.py reports/sample.html
    python benchmarks/screens.py large.html --measure

Needs Playwright and a Chromium (the `dev` extra, apt-get install chromium). Writes small PNG files into docs/images:
the first screen on a desk and on a phone, the table, also in dark colours, the viewer with two clips, and the pages of
the PDF where `pdftoppm` (poppler-utils) is installed. `--measure` takes no picture: it prints load time, memory, and
the time of frames while the clips scroll by and a filter changes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

COLOURS = 256
"""Of a picture: text and small clips need no more, and the files stay small."""


class View(NamedTuple):
    name: str
    width: int
    height: int
    scheme: str
    prepare: Callable[[Any], None] = lambda page: None


def show(place: str) -> Callable[[Any], None]:
    """Brings a part of the page to the top."""
    script = "place => document.querySelector(place).scrollIntoView({block: 'start', behavior: 'instant'})"
    return lambda page: page.evaluate(script, place)


def compare(page: Any) -> None:
    """Opens two clips side by side, in their middle."""
    page.locator("#prompts button.screen").first.click()
    page.keyboard.press("s")
    page.wait_for_timeout(1500)
    page.keyboard.press("5")


VIEWS = (
    View("report", 1440, 960, "light"),
    View("report-dark", 1440, 960, "dark", show("#numbers")),
    View("report-phone", 390, 844, "light"),
    View("report-table", 1280, 620, "light", show("#numbers")),
    View("report-viewer", 1280, 900, "light", compare),
)


def main() -> None:
    """Opens the page once a view."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--measure", action="store_true", help="Measure and take no picture.")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    print(f"{given.page}: {given.page.stat().st_size / 1e6:.1f} MB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for view in VIEWS[:1] if given.measure else VIEWS:
            size = {"width": view.width, "height": view.height}
            page = browser.new_page(viewport=size, color_scheme=view.scheme, device_scale_factor=1)
            page.on("console", lambda message: print("  console:", message.text))
            page.on("pageerror", lambda error: print("  error:", error))
            page.goto(given.page.resolve().as_uri())
            if given.measure:
                measure(page)
            else:
                view.prepare(page)
                page.wait_for_timeout(1500)
                take(page, given.out / f"{view.name}.png")
            page.close()
        if not given.measure and shutil.which("pdftoppm"):
            print_pages(browser, given.page, given.out / "report-pdf.png")
        browser.close()


def take(page: Any, path: Path) -> None:
    """A picture of the view, with few colours."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"  {path.name}: {path.stat().st_size / 1000:.0f} kB")


def print_pages(browser: Any, page: Path, path: Path) -> None:
    """The printed pages side by side in one picture."""
    from PIL import Image

    view = browser.new_page()
    view.goto(page.resolve().as_uri())
    with TemporaryDirectory() as folder:
        view.pdf(path=f"{folder}/report.pdf", prefer_css_page_size=True, print_background=True)
        subprocess.run(["pdftoppm", "-r", "56", "-png", f"{folder}/report.pdf", f"{folder}/page"], check=True)
        pages = [Image.open(each) for each in sorted(Path(folder).glob("page*.png"))]
        width, height = pages[0].size
        sheet = Image.new("RGB", ((width + 12) * len(pages) - 12, height), "#999")
        for nth, each in enumerate(pages):
            sheet.paste(each, (nth * (width + 12), 0))
        sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"  {path.name}: {len(pages)} pages, {path.stat().st_size / 1000:.0f} kB")
    view.close()


SCROLL = """step => new Promise(done => {
  const times = [], section = document.querySelector('#clips');
  section.scrollIntoView({ behavior: 'instant' });
  let last = performance.now();
  const next = now => {
    times.push(now - last); last = now;
    window.scrollBy({ top: step, behavior: 'instant' });
    if (times.length < 240) requestAnimationFrame(next);
    else { times.sort((a, b) => a - b); done([times[120], times[228]]); }
  };
  requestAnimationFrame(next);
})"""


def measure(page: Any) -> None:
    """Prints load time, memory, frames while scrolling, and the time that a filter and an order take."""
    timing = "performance.getEntriesByType('navigation').map(t => [t.domInteractive, t.loadEventEnd])[0]"
    interactive, loaded = page.evaluate(timing)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    print(f"  painted after {paint:.0f} ms, parsed after {interactive:.0f} ms, loaded after {loaded:.0f} ms")
    session = page.context.new_cdp_session(page)
    for when in ("after loading", "after scrolling"):
        if when == "after scrolling":
            for step in (30, 120):
                median, high = page.evaluate(SCROLL, step)
                print(f"  {step} pixels a frame: median frame {median:.1f} ms, 95 % within {high:.1f} ms")
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        nodes = page.evaluate("document.getElementsByTagName('*').length")
        print(f"  {when}: script heap {heap / 1e6:.1f} MB, {nodes:,} elements")
    for name, value in (("state", "usable"), ("by", "detail"), ("by", "")):
        before = time.perf_counter()
        page.locator(f"#{name}").select_option(value)
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        print(f"  {name} = {value or 'worst first'}: shown after {1000 * (time.perf_counter() - before):.0f} ms")


if __name__ == "__main__":
    main()
