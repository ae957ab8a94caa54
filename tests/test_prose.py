"""The pages are in plain English: short sentences, and no page that is too long to read.

Code is not counted. Tables count as words of a page, but hold no sentences.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "generators/*/README.md") for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)  # fmt: skip
EXPLANATION = ("docs/explanation/", "docs/decisions/", "docs/scaling.md", "docs/world.md")
MOST_WORDS = 2500
LONGEST_SENTENCE = 25
"""Words of an average sentence."""
HOUSE_WORDS = re.compile(r"\b(nobody|lest|dear|mend)\b", flags=re.I)


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.sub(r"^    .*$", "", text, flags=re.M)


def sentences(text: str) -> list[str]:
    """Sentences of paragraphs and list items; no headings, tables and comments."""
    text = re.sub(r"<!--.*?-->", "", without_code(text), flags=re.S)
    lines = [line for line in text.splitlines() if not re.match(r"\s*(\||#|>|!\[)", line)]
    text = re.sub(r"\n\s*(?:[-*]|\d+\.) ", "\n\n", "\n".join(lines))
    found = re.split(r"\n\s*\n|(?<=[.!?:])[*_)\"]*\s+(?=[\"*(\[`A-Z0-9])", text)
    return [sentence for sentence in found if len(sentence.split()) > 2]


@pytest.mark.parametrize("page", PAGES)
def test_sentences_of_a_page_are_short_on_average(page: str) -> None:
    found = sentences((ROOT / page).read_text("utf-8"))
    if found:
        mean = sum(len(sentence.split()) for sentence in found) / len(found)
        longest = max(found, key=lambda sentence: len(sentence.split()))
        assert mean <= LONGEST_SENTENCE, f"{mean:.1f} words; the longest sentence: {longest}"


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith(EXPLANATION)])
def test_a_page_is_short_enough_to_read(page: str) -> None:
    words = len(without_code((ROOT / page).read_text("utf-8")).split())
    assert words <= MOST_WORDS, f"{words} words: move what proves something to docs/explanation/"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_a_word_that_the_project_does_not_use(page: str) -> None:
    found = HOUSE_WORDS.search(without_code((ROOT / page).read_text("utf-8")))
    assert not found, found


def test_sentences_are_counted_without_code_tables_and_headings() -> None:
    text = "# A title\n\nOne two three. Four five six!\n\n| a | b c d |\n\n- Seven eight nine\n\n    a b c\n"
    found = [sentence.strip() for sentence in sentences(text)]
    assert found == ["One two three.", "Four five six!", "Seven eight nine"]
