from collections import Counter

import torch

from vbench_lite.recipes.batches import WIDE_THINGS, hard_ones_oftener, world_batches
from vbench_lite.world import MOTIONS, THINGS, training_compositions


def test_the_last_clips_of_a_batch_start_from_pictures_and_the_others_stay_as_they_were() -> None:
    plain = next(world_batches(training_compositions(), 2, 5))
    mixed = next(world_batches(training_compositions(), 5, 5, from_picture=3))
    assert not plain.from_picture.any()
    assert mixed.from_picture.tolist() == [False, False, True, True, True]
    assert torch.equal(mixed.clips[:2], plain.clips)
    assert mixed.compositions[:2] == plain.compositions
    assert len(mixed.captions) == len(mixed.compositions) == len(mixed.clips) == len(mixed.things) == 5


def test_spins_come_twice_and_spins_of_wide_things_three_times() -> None:
    counts = Counter(hard_ones_oftener(training_compositions()))
    for composition, count in counts.items():
        spins, wide = MOTIONS[composition.motion].turn_deg > 0, THINGS[composition.thing] in WIDE_THINGS
        assert count == (1 if not spins else 3 if wide else 2)
    assert set(counts) == set(training_compositions())
