from pathlib import Path

import pytest

from vbench_lite.errors import BadFile, UnknownName
from vbench_lite.inputs.suites import load_suite, read_suite
from vbench_lite.world import find_composition

ONE = '[[prompt]]\nid = "a"\ntext = "a red car spins on a white background"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["ads", "film", "social"])
def test_shipped_suites_hold_forty_prompts_that_no_network_was_trained_on(name: str) -> None:
    suite = load_suite(name)
    found = [find_composition(p.text) for p in suite.prompts]
    assert len(suite.prompts) == 40
    assert len({p.category for p in suite.prompts}) >= 4
    assert all(c is not None and c.held_out for c in found)


def test_an_unknown_suite_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r'no suite named "adss"\. Did you mean "ads"'):
        load_suite("adss")


def test_the_digest_follows_the_meaning_and_not_the_layout(tmp_path: Path) -> None:
    plain = read_suite(written(tmp_path, ONE)).digest
    assert read_suite(written(tmp_path, "# a comment\n\n" + ONE)).digest == plain
    assert read_suite(written(tmp_path, ONE.replace("red", "blue"))).digest != plain


def test_a_prompt_id_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r'mine\.toml:5: the prompt id "a" occurs twice'):
        read_suite(written(tmp_path, ONE + ONE))


def test_a_prompt_id_that_is_no_folder_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="names a folder"):
        read_suite(written(tmp_path, ONE.replace('"a"', '"../a"')))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = "x"\n', '"prompt" is missing'),
        ("clips_per_prompt = 0\n" + ONE, "expected 1 or more"),
        ("[usable]\nclip_text = 3\n" + ONE, r"expected \{ min"),
        ("colour = 1\n" + ONE, '"colour" is not known'),
    ],
)
def test_what_is_no_suite_is_told_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        read_suite(written(tmp_path, text))


def test_a_motion_is_read_and_one_that_is_not_on_the_list_is_refused_with_it(tmp_path: Path) -> None:
    assert read_suite(written(tmp_path, ONE + 'motion = "pan left"\n')).prompts[0].motion == "pan left"
    with pytest.raises(BadFile, match=r"mine\.toml:\d: \"motion\" is 'wobbles': expected one of still, pan left"):
        read_suite(written(tmp_path, ONE + 'motion = "wobbles"\n'))


def test_every_prompt_of_the_world_suites_states_the_motion_that_its_text_asks_for() -> None:
    for name in ("ads", "film", "social"):
        for prompt in load_suite(name).prompts:
            assert prompt.motion, prompt.id
            words = {"zoom in": "zooms in", "zoom out": "zooms out"}.get(prompt.motion, prompt.motion)
            assert words in prompt.text
