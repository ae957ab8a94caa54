"""The report as PDF: an installed Chromium prints the page, so that PDF and page do not differ."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from vbench_lite.errors import VbenchError
from vbench_lite.files import write_whole
from vbench_lite.report.data import Report
from vbench_lite.report.formats.media import Media
from vbench_lite.report.output import Output

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
"""Programs that can print a page from the command line, in the order of the search."""
DEADLINE = 120
"""Time limit of printing in seconds."""


def write(report: Report, output: Output) -> None:
    """Writes the answers, the numbers, the main figures, and the best and the worst clip of each generator.

    Raises:
        VbenchError: There is no Chromium, or it did not print.
    """
    from vbench_lite.report.page.render import render

    browser = find_browser()
    with TemporaryDirectory(prefix="vbench-pdf-") as name:
        folder = Path(name)
        page = folder / "report.html"
        page.write_text(render(report, Media({}, {})), "utf-8")
        write_whole(output.place, print_page(browser, page, folder))


def find_browser() -> str:
    """A browser of the Chromium family: the program in CHROMIUM, else the first installed one.

    Raises:
        VbenchError: There is none.
    """
    named = os.environ.get("CHROMIUM")
    for browser in [named] if named else BROWSERS:
        found = shutil.which(browser)
        if found:
            return found
    raise VbenchError(
        f'CHROMIUM names "{named}", which is not a program on this machine.' if named else
        "a PDF is printed by Chromium, Chrome or Edge, and none is installed. Install one (apt-get install chromium), "
        "name one in the variable CHROMIUM, or write the page with -o report.html and print it from your own browser"
    )  # fmt: skip


def print_page(browser: str, page: Path, folder: Path) -> bytes:
    """The page as PDF.

    Args:
        browser: A program of the Chromium family.
        page: An HTML file.
        folder: For the browser's profile and the PDF. The caller deletes it.
    """
    printed = folder / "report.pdf"
    command = [
        browser, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer", "--disable-extensions",
        f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={printed}",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium needs this as root; the page has only our own script
    try:
        done = subprocess.run([*command, page.as_uri()], capture_output=True, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        raise VbenchError(f"{browser} did not print the page in {DEADLINE} seconds.") from None
    if not printed.exists():
        says = done.stderr.decode(errors="replace").strip().splitlines()
        message = says[-1] if says else "no message"
        raise VbenchError(f"{browser} printed no PDF (exit code {done.returncode}): {message}")
    return printed.read_bytes()
