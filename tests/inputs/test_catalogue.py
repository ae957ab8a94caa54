import hashlib
from pathlib import Path

import pytest

from vbench_lite.errors import BadFile, GeneratorError, UnknownName, WeightsError
from vbench_lite.inputs.catalogue import build, check_weights, definition_paths, find_definition, read_definition

TEXT = 'route = "diffusion"\nadapter = "diffusers"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_every_shipped_definition_reads_and_names_its_source() -> None:
    for path in definition_paths().values():
        definition = read_definition(path)
        assert definition.source, path
        assert definition.licence, path


def test_an_unknown_generator_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match='Did you mean "tiny-diffusion"'):
        find_definition("tiny-difusion")


def test_a_folder_beside_the_definition_becomes_an_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    assert read_definition(written(tmp_path, TEXT + 'model = "weights"\n')).model == str(tmp_path / "weights")
    assert read_definition(written(tmp_path, TEXT + 'model = "org/name"\n')).model == "org/name"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("diffusion", "magic", 1), r"mine\.toml:1: .*expected one of transformer"),
        (TEXT + "[clip]\nframes = 0\n", r"mine\.toml:4: .*expected more than 0"),
        (TEXT + "[price]\nusd_per_clip = 1\nusd_per_second = 2\n", "expected one of usd_per_device_hour"),
        (TEXT + "steps = 3\n", '"steps" is not known here'),
    ],
)
def test_what_is_no_definition_is_told_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        read_definition(written(tmp_path, text))


def test_missing_and_altered_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"weights")
    right = hashlib.sha256(b"weights").hexdigest()
    definition = read_definition(written(tmp_path, TEXT + f'[weights]\n"w.bin" = "{right}"\n'))
    check_weights(definition)
    (tmp_path / "w.bin").write_bytes(b"other")
    with pytest.raises(WeightsError, match="is not the file"):
        check_weights(definition)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(WeightsError, match="lacks its weights"):
        check_weights(definition)


def test_a_class_of_the_users_own_is_a_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_models.py").write_text(
        "class Mine:\n    route = 'hybrid'\n    def __init__(self, definition): pass\n"
        "    def load(self, device): pass\n    def generate(self, requests): return []\n    def close(self): pass\n"
        "class NotOne:\n    def __init__(self, definition): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    definition = find_definition("my_models:Mine")
    assert (definition.name, definition.route) == ("mine", "hybrid")
    assert build(definition).generate([]) == []
    with pytest.raises(GeneratorError, match="it lacks load, generate, close"):
        build(find_definition("my_models:NotOne"))
    with pytest.raises(UnknownName, match='no class named "Min"'):
        find_definition("my_models:Min")


def test_a_price_by_the_block_keeps_rate_and_block(tmp_path: Path) -> None:
    text = TEXT + "[clip]\nframes = 145\nfps = 24\n[price]\nusd_per_block = 0.5\nblock_s = 5\n"
    price = read_definition(written(tmp_path, text)).price
    assert price is not None
    assert (price.usd_per_block, price.block_s, price.usd_per_clip) == (0.5, 5.0, None)


ROWS = """[[price.when]]
max_height = 720
usd_per_second = 0.1
[[price.when]]
max_seconds = 10
usd_per_block = 0.3
block_s = 5
"""


def test_a_price_by_size_and_length_keeps_its_rows(tmp_path: Path) -> None:
    price = read_definition(written(tmp_path, TEXT + "[price]\ndate = 2026-11-01\nsource = 'a list'\n" + ROWS)).price
    assert price is not None
    assert price.date == "2026-11-01"
    assert [(row.max_height, row.max_seconds, row.usd_per_second, row.usd_per_block) for row in price.when] == [
        (720.0, None, 0.1, None), (None, 10.0, None, 0.3),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[price]\nusd_per_block = 0.5\n", "block_s"),
        ("[price]\nusd_per_block = 0.5\nblock_s = 0\n", r"mine\.toml:5: .*a number above 0"),
        ("[price]\nusd_per_clip = nan\n", r"mine\.toml:4: .*nan, which is not a number"),
        ("[price]\nusd_per_clip = 1\n" + ROWS, "found usd_per_clip, when"),
        (ROWS + "[[price.when]]\nmax_height = 1080\n", r"mine\.toml:10: .*each row needs one of"),
        (ROWS.replace("max_seconds = 10", "max_seconds = -1"), r"mine\.toml:7: .*a number above 0"),
        (ROWS.replace("max_seconds", "max_length"), r"mine\.toml:7: .*not known here"),
        (ROWS.replace("usd_per_second", "usd_per_device_hour"), "not known here"),
        ("[price]\nwhen = 3\n", "expected a list"),
    ],
)
def test_a_price_that_cannot_be_is_named_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        read_definition(written(tmp_path, TEXT + text))
