import pytest
import torch

from vbench_lite.adapters.models.video_tokens import VideoTokenLayout

PAIRS = VideoTokenLayout(frames_per_code=2, first_frame_alone=True, pixel_unshuffle=4, rows=8, columns=8)


def test_unstacking_gives_back_the_clip() -> None:
    clips = torch.randn(3, 3, 9, 64, 64)
    stacks = PAIRS.stack(clips)
    assert stacks.shape == (3 * 5, 3 * 2 * 16, 16, 16)
    assert torch.equal(PAIRS.unstack(stacks, 3), clips)


def test_a_plain_picture_tokenizer_is_the_case_of_one_frame_a_code() -> None:
    layout = VideoTokenLayout(rows=4, columns=4)
    clips = torch.randn(2, 3, 5, 8, 8)
    assert torch.equal(layout.stack(clips)[1], clips[0, :, 1])
    assert torch.equal(layout.unstack(layout.stack(clips), 2), clips)


def test_tokens_are_counted_with_the_last_stack_rounded_up() -> None:
    assert PAIRS.tokens_for(9) == 5 * 64
    assert PAIRS.tokens_for(8) == 5 * 64
    assert PAIRS.tokens_for(1) == 64
    assert VideoTokenLayout(frames_per_code=3, rows=2, columns=2).tokens_for(7) == 3 * 4


def test_codes_in_any_order_come_back_to_their_places() -> None:
    layout = VideoTokenLayout(rows=2, columns=3, order="row column frame")
    places = torch.arange(4 * 2 * 3).view(1, 4, 2, 3)  # frame, row, column
    written = places.permute(0, 2, 3, 1).flatten(1)
    assert torch.equal(layout.in_pictures(written, 4), places.flatten(1))
    assert torch.equal(VideoTokenLayout(rows=2, columns=3).in_pictures(places.flatten(1), 4), places.flatten(1))


def test_tokens_between_rows_and_frames_stand_where_they_belong() -> None:
    layout = VideoTokenLayout(rows=2, columns=1, before_frame="<f>", after_row="<eol>", after_frame="<eof>")
    assert layout.pattern(2) == ["<f>", "", "<eol>", "", "<eol>", "<eof>", "<f>", "", "<eol>", ""]
    assert layout.tokens_for(2) == 10


def test_an_order_that_lacks_an_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="expected frame, row and column"):
        VideoTokenLayout(order="frame row")
