"""Takes the pictures of the report that the README and docs/report.md show, and measures how it loads.

    python benchmarks/screens.py reports/sample.html

Needs Playwright and a Chromium (the `dev` extra, apt-get install chromium). Writes docs/images/report.png (desk),
report-phone.png and report-dark.png, and prints the load time, the size and whatever the browser complained of.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import NamedTuple


class View(NamedTuple):
    name: str
    width: int
    height: int
    scheme: str


VIEWS = (
    View("report", 1440, 960, "light"),
    View("report-phone", 390, 844, "light"),
    View("report-dark", 1440, 960, "dark"),
)


def main() -> None:
    """Opens the page once a view."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"{given.page}: {given.page.stat().st_size / 1e6:.1f} MB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for view in VIEWS:
            size = {"width": view.width, "height": view.height}
            page = browser.new_page(viewport=size, color_scheme=view.scheme, device_scale_factor=1)
            page.on("console", lambda message: print("  console:", message.text))
            page.on("pageerror", lambda error: print("  error:", error))
            page.goto(given.page.resolve().as_uri())
            page.wait_for_timeout(500)
            page.screenshot(path=given.out / f"{view.name}.png")
            loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            clips = page.locator("video").count()
            print(f"  {view.name}: loaded in {loaded / 1000:.2f} s, {clips} clips near the screen")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
