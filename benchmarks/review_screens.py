"""Takes the pictures of the review page that docs/review.md shows.

    python benchmarks/review_screens.py results/ads

Needs the extra `review`, Playwright and a Chromium. Writes docs/images/review.png (pairs, desk) and review-phone.png
(keep or reject). The votes go into a temporary copy of the run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from vbench_lite.jobs.reviewing import start_review
from vbench_lite.review.opening import ReviewOrder
from vbench_lite.run.view import open_run
from vbench_lite.run.votes import Mode


class View(NamedTuple):
    name: str
    mode: Mode
    width: int
    height: int


VIEWS = (View("review", "pairs", 1100, 860), View("review-phone", "usable", 390, 844))


def main() -> None:
    """Opens the page once a view and answers two questions, so that the progress shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    given = parser.parse_args()
    from PIL import Image
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = open_run(shutil.copytree(given.run, Path(folder) / given.run.name))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for view in VIEWS:
            running = start_review([run], ReviewOrder(mode=view.mode))
            page = browser.new_page(viewport={"width": view.width, "height": view.height})
            page.goto(running.link)
            page.locator("#rater").fill("anna")
            page.locator("#who button").click()
            for done in range(2):
                page.locator("#answers button:enabled").first.wait_for()
                page.locator("#answers button:enabled").first.click()
                page.locator("#count", has_text=f"{done + 1} of ").wait_for()
            page.locator("#answers button:enabled").first.wait_for()
            page.wait_for_timeout(1500)
            target = given.out / f"{view.name}.png"
            page.screenshot(path=target)
            with Image.open(target) as picture:  # text and small clips need no more than 256 colours
                picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)
            page.close()
            running.stop()
        browser.close()


if __name__ == "__main__":
    main()
