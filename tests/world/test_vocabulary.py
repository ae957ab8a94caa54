from vbench_lite.world import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    THINGS,
    WORDINGS,
    Composition,
    compositions,
    find_composition,
    held_out_compositions,
    training_compositions,
    words,
)


def test_every_composition_has_its_own_captions_and_is_found_by_each() -> None:
    every = list(compositions())
    assert len(every) == len(THINGS) * len(COLOURS) * len(BACKGROUNDS) * len(MOTIONS)
    assert len({caption for c in every for caption in c.captions}) == len(every) * len(WORDINGS)
    assert all(find_composition(caption) == c for c in every for caption in c.captions)


def test_captions_are_found_whatever_their_case_spacing_and_full_stop() -> None:
    assert find_composition(" A red  sneaker spins on a white background. ") == Composition(0, 0, 0, 4)


def test_a_caption_of_another_world_is_not_found() -> None:
    assert find_composition("a dog plays the piano") is None


def test_one_composition_in_ten_is_held_out_and_never_in_training() -> None:
    held_out, training = held_out_compositions(), training_compositions()
    assert len(held_out) * 10 == len(held_out) + len(training)
    assert not set(held_out) & set(training)


def test_training_shows_every_value_of_every_attribute() -> None:
    for attribute, values in (("thing", THINGS), ("colour", COLOURS), ("background", BACKGROUNDS), ("motion", MOTIONS)):
        assert {getattr(c, attribute) for c in training_compositions()} == set(range(len(values)))


def test_the_vocabulary_holds_every_word_of_every_caption() -> None:
    known = set(words())
    assert all(set(caption.replace(",", "").split()) <= known for c in compositions() for caption in c.captions)
