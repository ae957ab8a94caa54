"""What the procedural world can show: things, colours, backgrounds, motions, and their captions.

A `Composition` picks one of each; its captions are plain English that a published model would
understand as well, in two wordings. One composition in ten is held out from every training in this
repository, in both wordings:

    held out  <=>  (7 thing + 3 colour + 5 background + motion) mod 10 == 0

with the indices being places in the tuples below. Every value of every attribute occurs in
training, so a held-out caption asks for a new combination of known words.
To grow the world, append to a tuple (and draw the thing in `sprites.py`); earlier indices and the
hold-out rule then stay as they are.
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
    """A path over the clip. Lengths are in frame widths or heights, angles in degrees."""

    name: str
    subject: str = "a {colour} {thing} {name}"
    travel_x: float = 0.0
    travel_y: float = 0.0
    turn_deg: float = 0.0
    scale_from: float = 0.56
    scale_to: float = 0.56
    hops: int = 0
    """How often the thing leaves the ground; each hop is one arch of a sine."""


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
    """One thing, colour, background and motion, as places in the tuples above."""

    thing: int
    colour: int
    background: int
    motion: int

    @property
    def caption(self) -> str:
        """The first wording."""
        return self.captions[0]

    @property
    def captions(self) -> tuple[str, ...]:
        """Every wording of what the clip shows."""
        motion = MOTIONS[self.motion]
        subject = motion.subject.format(
            name=motion.name, colour=COLOURS[self.colour].name, thing=THINGS[self.thing]
        )
        return tuple(w.format(subject=subject, background=BACKGROUNDS[self.background].name) for w in WORDINGS)

    @property
    def held_out(self) -> bool:
        """Whether this composition is kept out of every training."""
        return (7 * self.thing + 3 * self.colour + 5 * self.background + self.motion) % 10 == 0


def compositions() -> Iterator[Composition]:
    """Every composition of the world, in a fixed order."""
    sizes = (len(THINGS), len(COLOURS), len(BACKGROUNDS), len(MOTIONS))
    for indices in product(*map(range, sizes)):
        yield Composition(*indices)


def training_compositions() -> list[Composition]:
    return [c for c in compositions() if not c.held_out]


def held_out_compositions() -> list[Composition]:
    return [c for c in compositions() if c.held_out]


def find_composition(caption: str) -> Composition | None:
    """The composition that a caption describes, or None when it is not one of this world's."""
    return _BY_CAPTION.get(_plain(caption))


def _plain(caption: str) -> str:
    return " ".join(caption.lower().replace(",", " ").strip(" .").split())


_BY_CAPTION = {_plain(caption): c for c in compositions() for caption in c.captions}


def words() -> list[str]:
    """Every word that a caption can hold, sorted: the vocabulary of the built-in models."""
    return sorted({word for caption in _BY_CAPTION for word in caption.split()})
