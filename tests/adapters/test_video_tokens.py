import torch

from vbench_lite.adapters.video_tokens import VideoTokenLayout

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
