"""The content of the built-in world: things, colours, backgrounds, motions, and their captions.

A `Composition` is one of each. It has captions in two wordings, in plain English that published models understand too.
One composition in ten is held out: it is not used in any training of this repository, in either wording:

    held out  <=>  (7 thing + 3 colour + 5 background + motion) mod 10 == 0

The numbers are indices in the tuples below. Every single thing, colour, background and motion occurs in training. So a
held-out caption asks for a new combination of known words. To extend the world, append to a tuple (and draw a new thing
in `sprites.py`). Existing indices and held-out compositions then do not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple


class Tint(NamedTuple):
    name: str
    rgb: tuple[int, int, int]


class Motion(NamedTuple):
    """A motion over the whole clip. Lengths are in frame widths or heights, angles in degrees."""

    name: str
    subject: str = "a {colour} {thing} {name}"
    travel_x: float = 0.0
    travel_y: float = 0.0
    turn_deg: float = 0.0
    scale_from: float = 0.56
    scale_to: float = 0.56
    hops: int = 0
    """Number of bounces. The path of each is half a period of a sine."""


THINGS = ("sneaker", "bottle", "cup", "lamp", "car", "fish", "rocket", "duck", "bag", "chair", "boat", "house")

COLOURS = (
    Tint("red", (214, 40, 40)),
    Tint("yellow", (245, 196, 20)),
    Tint("green", (34, 160, 60)),
    Tint("blue", (36, 92, 220)),
    Tint("purple", (142, 52, 190)),
    Tint("cyan", (24, 196, 214)),
)

BACKGROUNDS = (
    Tint("white", (246, 246, 246)),
    Tint("gray", (136, 136, 136)),
    Tint("black", (16, 16, 16)),
    Tint("pink", (250, 186, 206)),
    Tint("mint", (176, 230, 196)),
)

_CAMERA = "the camera {name} a {colour} {thing}"

MOTIONS = (
    Motion("slides left", travel_x=-0.32),
    Motion("slides right", travel_x=0.32),
    Motion("moves up", travel_y=-0.32),
    Motion("moves down", travel_y=0.32),
    Motion("spins", turn_deg=96.0),
    Motion("zooms in on", _CAMERA, scale_from=0.38, scale_to=0.84),
    Motion("zooms out from", _CAMERA, scale_from=0.84, scale_to=0.38),
    Motion("bounces", travel_y=0.24, hops=2),
)

WORDINGS = ("{subject} on a {background} background", "on a plain {background} backdrop, {subject}")


@dataclass(frozen=True)
class Composition:
    """One thing, colour, background and motion, as indices in the tuples above.

    >>> Composition(thing=0, colour=0, background=0, motion=1).caption
    'a red sneaker slides right on a white background'
    """

    thing: int
    colour: int
    background: int
    motion: int

    @property
    def caption(self) -> str:
        """The caption in the first wording."""
        return self.captions[0]

    @property
    def captions(self) -> tuple[str, ...]:
        """The captions in all wordings."""
        motion = MOTIONS[self.motion]
        subject = motion.subject.format(
            name=motion.name, colour=COLOURS[self.colour].name, thing=THINGS[self.thing]
        )
        return tuple(w.format(subject=subject, background=BACKGROUNDS[self.background].name) for w in WORDINGS)

    @property
    def held_out(self) -> bool:
        """Whether this composition is excluded from every training."""
        return (7 * self.thing + 3 * self.colour + 5 * self.background + self.motion) % 10 == 0


def compositions() -> Iterator[Composition]:
    """All compositions of the world, in a fixed order."""
    sizes = (len(THINGS), len(COLOURS), len(BACKGROUNDS), len(MOTIONS))
    for indices in product(*map(range, sizes)):
        yield Composition(*indices)


def training_compositions() -> list[Composition]:
    """All compositions that are used for training."""
    return [c for c in compositions() if not c.held_out]


def held_out_compositions() -> list[Composition]:
    """All compositions that are excluded from training."""
    return [c for c in compositions() if c.held_out]


def find_composition(caption: str) -> Composition | None:
    """The composition of a caption; None if it is not a caption of this world. Case and punctuation are ignored."""
    return _BY_CAPTION.get(_plain(caption))


def _plain(caption: str) -> str:
    return " ".join(caption.lower().replace(",", " ").strip(" .").split())


_BY_CAPTION = {_plain(caption): c for c in compositions() for caption in c.captions}


def words() -> list[str]:
    """All words of captions, sorted: the vocabulary of the built-in models."""
    return sorted({word for caption in _BY_CAPTION for word in caption.split()})
