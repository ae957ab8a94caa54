"""axe-core, which browsers' own auditors use, on the page, on its dialogs, on a desk and a phone, light and dark."""

import pytest

from vbench_lite.report import write_report
from vbench_lite.run.view import Run

pytestmark = pytest.mark.browser
VIEWS = {"a desk, light": (1280, 900, "light"), "a phone, dark": (390, 844, "dark")}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation(browser, ads, tmp_path, view) -> None:
    checker = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[dev]'").Axe()
    width, height, scheme = VIEWS[view]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(write_report([Run(ads)], tmp_path / "ads.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = {"the page": _violations(checker, page)}
    page.locator("#numbers button.define").first.click()
    found["a definition"] = _violations(checker, page)
    page.keyboard.press("Escape")
    page.locator("#prompts button.screen").first.click()
    found["a clip"] = _violations(checker, page)
    page.close()
    assert found == {"the page": [], "a definition": [], "a clip": []}


def _violations(checker, page) -> list[str]:
    response = checker.run(page).response
    return [f"{v['id']}: {node['html'][:120]}" for v in response["violations"] for node in v["nodes"]]
