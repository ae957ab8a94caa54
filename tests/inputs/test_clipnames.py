"""File names back to prompts: all that a convention allows, and nothing that it leaves open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.made_clips import clip_of, moving_square
from vbench_lite.errors import BadFile, UsageError
from vbench_lite.inputs.clip_files import model_folders
from vbench_lite.inputs.clipnames import clips_to_ask, match_folder
from vbench_lite.records import Prompt

AWKWARD = [
    "a cat",
    "A cat",
    "a cat.",
    'a sign that says "OPEN", at night',
    "Mr. Oko's 1.5 litre kettle, close-up. macro.",
    "new year's eve in 2024-2025",
    "half/half: a split screen",
    "an unanswered question?",
    "ein rotes Fahrrad fährt über die Brücke",
    "a very long prompt, " + "and then it goes on and on, " * 12 + "until it ends",
]


def prompts(*texts: str) -> list[Prompt]:
    return [Prompt(f"p{i}", text) for i, text in enumerate(texts)]


def folder_of(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"clip")
    return folder


def found(folder: Path, *texts: str) -> dict[str, tuple[str, int]]:
    return {clip.path.name: key for key, clip in match_folder(folder, prompts(*texts)).clips.items()}


def reasons(folder: Path, *texts: str) -> dict[str, str]:
    return {path.name: reason for path, reason in match_folder(folder, prompts(*texts)).unmatched}


def as_file_name(text: str) -> str:
    return text.replace("/", "_")[:200]


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webm"])
def test_awkward_prompts_find_their_clips(tmp_path: Path, suffix: str) -> None:
    for i, text in enumerate(AWKWARD):
        folder_of(tmp_path, *(f"{as_file_name(text)}-{k}{suffix}" for k in range(i % 3 + 1)))
    matched = match_folder(tmp_path, prompts(*AWKWARD))
    assert matched.unmatched == ()
    assert set(matched.clips) == {(f"p{i}", k) for i in range(len(AWKWARD)) for k in range(i % 3 + 1)}


def test_year_at_the_end_is_not_an_index(tmp_path: Path) -> None:
    folder_of(tmp_path, "a parade in 2024-2025-1.mp4")
    assert found(tmp_path, "a parade in 2024-2025") == {"a parade in 2024-2025-1.mp4": ("p0", 0)}


def test_name_that_two_prompts_explain_is_listed_not_guessed(tmp_path: Path) -> None:
    folder_of(tmp_path, "a parade in 2024-2025.mp4")
    texts = ("a parade in 2024", "a parade in 2024-2025")
    assert found(tmp_path, *texts) == {}
    assert reasons(tmp_path, *texts)["a parade in 2024-2025.mp4"] == (
        'it could be clip 2025 of "p0" or clip 0 of "p1"'
    )


def test_exact_name_goes_before_a_spelling(tmp_path: Path) -> None:
    folder_of(tmp_path, "who-0.mp4")
    assert found(tmp_path, "who", "who?") == {"who-0.mp4": ("p0", 0)}


def test_spelling_of_two_prompts_is_listed(tmp_path: Path) -> None:
    folder_of(tmp_path, "who_-0.mp4")
    assert found(tmp_path, "who?", "who:") == {}


def test_cut_prompt_counts_only_when_one_prompt_begins_so(tmp_path: Path) -> None:
    long = "a scene " * 20
    folder_of(tmp_path, f"{long[:120]}-0.mp4")
    assert len(found(tmp_path, long + "in red")) == 1
    assert found(tmp_path, long + "in red", long + "in blue") == {}


def test_short_beginning_is_not_a_cut_prompt(tmp_path: Path) -> None:
    folder_of(tmp_path, "a red-0.mp4")
    assert found(tmp_path, "a red sneaker") == {}


def test_two_files_for_one_place_are_both_listed(tmp_path: Path) -> None:
    folder_of(tmp_path, "a cat-0.mp4", "a cat-0.gif")
    assert found(tmp_path, "a cat") == {}
    assert set(reasons(tmp_path, "a cat")) == {"a cat-0.mp4", "a cat-0.gif"}


def test_numbers_need_a_prompt_list(tmp_path: Path) -> None:
    folder_of(tmp_path, "0000.mp4")
    assert "prompt list" in reasons(tmp_path, "a cat")["0000.mp4"]


def test_numbers_with_a_text_each(tmp_path: Path) -> None:
    folder_of(tmp_path, "0000.mp4", "0001.mp4", "0002.mp4")
    (tmp_path / "prompts").mkdir()
    for number, text in ("0000", "a dog"), ("0001", "a cat\n"), ("0002", "a fish"):
        (tmp_path / "prompts" / f"{number}.txt").write_text(text)
    assert found(tmp_path, "a cat", "a dog") == {"0000.mp4": ("p1", 0), "0001.mp4": ("p0", 0)}
    assert reasons(tmp_path, "a cat", "a dog") == {"0002.mp4": 'the suite has no prompt "a fish"'}


def test_numbers_with_one_list(tmp_path: Path) -> None:
    folder_of(tmp_path, "0000.mp4", "0001.mp4")
    (tmp_path / "prompts.txt").write_text("a dog\na cat\n")
    assert found(tmp_path, "a cat", "a dog") == {"0000.mp4": ("p1", 0), "0001.mp4": ("p0", 0)}


def test_list_that_windows_wrote_is_read(tmp_path: Path) -> None:
    folder_of(tmp_path, "0000.mp4")
    (tmp_path / "prompts.txt").write_bytes(b"\xef\xbb\xbfa dog\r\na cat\r\n")
    assert found(tmp_path, "a dog") == {"0000.mp4": ("p0", 0)}


@pytest.mark.parametrize(
    ("name", "data"), [("prompts.txt", b"a caf\xe9\n"), ("clips.csv", b"file,prompt\nx.mp4,caf\xe9\n")]
)
def test_list_in_another_encoding_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    folder_of(tmp_path, "0000.mp4")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadFile, match=rf"{name}.*cannot be read"):
        match_folder(tmp_path, prompts("a dog"))


def test_table_gives_prompt_seed_and_cost(tmp_path: Path) -> None:
    folder_of(tmp_path, "x.mp4", "y.mp4", "z.mp4", "unlisted.mp4")
    (tmp_path / "clips.csv").write_text(
        'file,prompt,seed,usd\nx.mp4,"a cat, asleep",7,0.20\ny.mp4,"a cat, asleep",8,\n'
        "z.mp4,a fish,1,0.2\n../q.mp4,a dog,,\n"
    )
    matched = match_folder(tmp_path, prompts("a cat, asleep", "a dog"))
    first, second = matched.clips["p0", 0], matched.clips["p0", 1]
    assert (first.seed, first.usd, second.seed, second.usd) == (7, 0.2, 8, None)
    assert {path.name: reason for path, reason in matched.unmatched} == {
        "z.mp4": 'the suite has no prompt "a fish"',
        "unlisted.mp4": "it is not in clips.csv",
        "q.mp4": "there is no such file in the folder",
    }


def test_table_with_a_price_that_is_none_or_an_open_quote_names_the_line(tmp_path: Path) -> None:
    folder_of(tmp_path, "x.mp4")
    (tmp_path / "clips.csv").write_text("file,prompt,usd\nx.mp4,a cat,cheap\n")
    with pytest.raises(BadFile, match=r'clips\.csv:2: "usd" is "cheap"'):
        match_folder(tmp_path, prompts("a cat"))
    (tmp_path / "clips.csv").write_text('file,prompt\nx.mp4,a cat\ny.mp4,"a dog\nz.mp4,a bird\n')
    with pytest.raises(BadFile, match=r"clips\.csv:3: is not valid CSV"):
        match_folder(tmp_path, prompts("a cat"))


def test_missing_clips_are_named(tmp_path: Path) -> None:
    folder_of(tmp_path, "a cat-0.mp4")
    asked = prompts("a cat", "a dog")
    assert match_folder(tmp_path, asked).missing(asked, 2) == [("p0", 1), ("p1", 0), ("p1", 1)]


def test_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no clip"):
        match_folder(tmp_path, prompts("a cat"))


@pytest.mark.parametrize(
    "numbers", [(0, 1, 2), (1, 2, 3), (42, 43, 44), (0, 2, 7), (-5, -1, 3), (123456, 2**31, 2**63 - 1), (7,)]
)
def test_numbers_of_names_are_ranked_by_prompt(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    folder_of(tmp_path, *(f"a cat-{n}.mp4" for n in numbers), "a dog-0.mp4")
    expected = {f"a cat-{n}.mp4": ("p0", rank) for rank, n in enumerate(numbers)}
    assert found(tmp_path, "a cat", "a dog") == {**expected, "a dog-0.mp4": ("p1", 0)}


def test_prompt_that_ends_in_a_hyphen_may_be_meant(tmp_path: Path) -> None:
    folder_of(tmp_path, "a cat--5.mp4")
    assert found(tmp_path, "a cat-") == {"a cat--5.mp4": ("p0", 0)}
    assert "it could be" in reasons(tmp_path, "a cat", "a cat-")["a cat--5.mp4"]


def test_numbers_that_are_equal_are_both_listed(tmp_path: Path) -> None:
    folder_of(tmp_path, "a cat-1.mp4", "a cat-01.mp4", "a cat-2.mp4")
    assert found(tmp_path, "a cat") == {"a cat-2.mp4": ("p0", 0)}


def test_as_many_clips_are_asked_as_there_are(tmp_path: Path) -> None:
    texts = ("a cat", "a dog", "a fish", "a hen")
    folder_of(tmp_path, *(f"a cat-{k}.mp4" for k in range(25)), *(f"{t}-{k}.mp4" for t in texts[1:3] for k in range(5)))
    matched = match_folder(tmp_path, prompts(*texts))
    assert clips_to_ask(matched, prompts(*texts), None) == (5, {"p0": 25, "p3": 1})
    assert clips_to_ask(matched, prompts(*texts), 30) == (30, {})


@pytest.mark.parametrize("width", [1, 4, 6])
def test_list_is_counted_from_one_where_the_folder_shows_it(tmp_path: Path, width: int) -> None:
    folder_of(tmp_path, *(f"{n:0{width}}.mp4" for n in (1, 2, 3)))
    (tmp_path / "prompts.txt").write_text("a dog\na cat\na fish\n\n")
    matched = match_folder(tmp_path, prompts("a cat", "a dog", "a fish"))
    assert {c.path.name: k for k, c in matched.clips.items()} == {
        f"{1:0{width}}.mp4": ("p1", 0), f"{2:0{width}}.mp4": ("p0", 0), f"{3:0{width}}.mp4": ("p2", 0),
    }
    assert "numbered from 1" in matched.notes[0]


def test_list_whose_start_cannot_be_known_matches_nothing(tmp_path: Path) -> None:
    folder_of(tmp_path, "0001.mp4", "0002.mp4")
    (tmp_path / "prompts.txt").write_text("a dog\na cat\na fish\n")
    assert found(tmp_path, "a dog", "a cat", "a fish") == {}
    assert "from 0 or from 1" in reasons(tmp_path, "a dog")["0001.mp4"]


def test_number_beyond_the_list_is_named(tmp_path: Path) -> None:
    folder_of(tmp_path, "0000.mp4", "0002.mp4")
    (tmp_path / "prompts.txt").write_text("a dog\na cat\n")
    assert found(tmp_path, "a dog", "a cat") == {"0000.mp4": ("p0", 0)}
    assert "no entry for the number 2" in reasons(tmp_path, "a dog", "a cat")["0002.mp4"]


def test_texts_beside_clips_name_them_whatever_the_numbers_are(tmp_path: Path) -> None:
    folder_of(tmp_path, "0001.mp4", "0002.mp4")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "0001.txt").write_text("a dog")
    (tmp_path / "prompts" / "2.txt").write_text("a cat")
    assert found(tmp_path, "a dog", "a cat") == {"0001.mp4": ("p0", 0), "0002.mp4": ("p1", 0)}


def test_takes_of_a_number_are_ranked(tmp_path: Path) -> None:
    folder_of(tmp_path, "0000-1.mp4", "0000-2.mp4")
    (tmp_path / "prompts.txt").write_text("a dog\n")
    assert found(tmp_path, "a dog") == {"0000-1.mp4": ("p0", 0), "0000-2.mp4": ("p0", 1)}


@pytest.mark.parametrize("suffix", [".m4v", ".webp", ".bin", "", ".MP4", ".mpg"])
def test_clips_are_known_by_their_content(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a cat-0{suffix}").write_bytes(clip_of("mp4", moving_square(4)))
    assert found(tmp_path, "a cat") == {f"a cat-0{suffix}": ("p0", 0)}


def test_everything_else_is_named_with_its_reason(tmp_path: Path) -> None:
    from PIL import Image

    folder_of(tmp_path, "a cat-0.mp4", "notes.md", "a cat-0.json")
    Image.new("RGB", (32, 32)).save(tmp_path / "a cat-0.png")
    Image.new("RGB", (32, 32)).save(tmp_path / "a cat-0.jpg")
    (tmp_path / "a dog-0.mp4").symlink_to("gone.mp4")
    (tmp_path / "a fish-0.mp4").mkdir()
    (tmp_path / "empty.xyz").touch()
    os.mkfifo(tmp_path / "a hen-0.mp4")
    (tmp_path / "other").mkdir()
    folder_of(tmp_path / "other", "a cat-0.mp4")
    assert found(tmp_path, "a cat", "a dog", "a fish", "a hen") == {"a cat-0.mp4": ("p0", 0)}
    given = reasons(tmp_path, "a cat", "a dog", "a fish", "a hen")
    parts = {
        "notes.md": "not a readable video", "a cat-0.json": "not a readable video", "a cat-0.png": "a picture",
        "a cat-0.jpg": "a picture", "a dog-0.mp4": "leads to gone.mp4", "a fish-0.mp4": "a folder",
        "empty.xyz": "0 bytes", "a hen-0.mp4": "a pipe", "other": "with 1 clips",
    }
    assert set(given) == set(parts)
    assert all(part in given[name] for name, part in parts.items()), given


def test_folder_without_a_clip_says_what_it_holds(tmp_path: Path) -> None:
    folder_of(tmp_path, "notes.md")
    with pytest.raises(UsageError, match=r"contains no clip \(notes.md: not a readable video"):
        match_folder(tmp_path, prompts("a cat"))


def test_folders_of_models_are_known(tmp_path: Path) -> None:
    for name in ("wan", "ltx"):
        (tmp_path / name).mkdir()
        folder_of(tmp_path / name, "a cat-0.mp4")
    (tmp_path / "empty").mkdir()
    assert [path.name for path in model_folders(tmp_path)] == ["ltx", "wan"]
    folder_of(tmp_path, "a cat-0.mp4")
    assert model_folders(tmp_path) == []


@pytest.mark.parametrize("cell", ["²", "1.5", "9" * 5000, "nan", "0x1", "one"])
@pytest.mark.parametrize("column", ["index", "seed"])
def test_table_with_an_index_that_is_none_names_the_line(tmp_path: Path, column: str, cell: str) -> None:
    folder_of(tmp_path, "x.mp4")
    (tmp_path / "clips.csv").write_text(f"file,prompt,{column}\nx.mp4,a cat,{cell}\n", encoding="utf-8")
    with pytest.raises(BadFile, match=rf'clips\.csv:2: "{column}" is '):
        match_folder(tmp_path, prompts("a cat"))


@pytest.mark.parametrize("name", ["\0", "x" * 5000, ".", "..", "/etc/passwd", ""])
def test_table_that_names_no_file_of_the_folder_is_listed(tmp_path: Path, name: str) -> None:
    folder_of(tmp_path, "x.mp4")
    (tmp_path / "clips.csv").write_bytes(f"file,prompt\n{name},a cat\nx.mp4,a cat\n".encode())
    assert found(tmp_path, "a cat") == {"x.mp4": ("p0", 0)}


def test_negative_seeds_and_any_index_are_read_from_a_table(tmp_path: Path) -> None:
    folder_of(tmp_path, "x.mp4", "y.mp4")
    (tmp_path / "clips.csv").write_text("file,prompt,index,seed\nx.mp4,a cat,9,-3\ny.mp4,a cat,4,5\n")
    clips = match_folder(tmp_path, prompts("a cat")).clips
    assert {key: (c.path.name, c.seed) for key, c in clips.items()} == {
        ("p0", 0): ("y.mp4", 5), ("p0", 1): ("x.mp4", -3),
    }
