"""Colours by route for the light and the dark theme. They differ in hue, lightness and marker, for any colour vision.

Names are written in these colours, so each has a contrast of at least 4.5 to the background.
Plots are drawn in the light colours. The page replaces each colour by its name, so one drawing serves both themes.
"""

from __future__ import annotations

INK, SOFT, LINE, PAPER = "#22201d", "#6b665e", "#d9d4ca", "#fbfaf7"
DARK_INK, DARK_SOFT, DARK_LINE, DARK_PAPER = "#ece8e1", "#a39d93", "#3a3733", "#171614"

LIGHT: dict[str, str] = {
    "transformer-0": "#23598f", "transformer-1": "#3674b2", "transformer-2": "#12304f",
    "diffusion-0": "#bd5316", "diffusion-1": "#936812", "diffusion-2": "#7c3107",
    "hybrid-0": "#10755f", "hybrid-1": "#417a2c", "hybrid-2": "#064536",
    "undisclosed-0": "#7c4a8d", "undisclosed-1": "#a1529f", "undisclosed-2": "#4c2559",
}  # fmt: skip
DARK: dict[str, str] = {
    "transformer-0": "#7fb2e4", "transformer-1": "#b9d6f1", "transformer-2": "#4d84b8",
    "diffusion-0": "#f0995c", "diffusion-1": "#f8caa5", "diffusion-2": "#c06c2e",
    "hybrid-0": "#5cc4aa", "hybrid-1": "#a9e3d4", "hybrid-2": "#2f9079",
    "undisclosed-0": "#c596d6", "undisclosed-1": "#e2c9eb", "undisclosed-2": "#a76fbb",
}  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "p", "P", "h")
"""Marks of generators in drawings, by the number of the generator."""
SHAPES = (
    "M-4.6 0A4.6 4.6 0 1 0 4.6 0A4.6 4.6 0 1 0-4.6 0Z", "M-4.2-4.2H4.2V4.2H-4.2Z", "M0-5.2 5 4.2H-5Z",
    "M0-5.6 5.6 0 0 5.6-5.6 0Z", "M0 5.2 5-4.2H-5Z", "M0-5.4 5.1-1.7 3.2 4.4H-3.2L-5.1-1.7Z",
    "M-5.2-1.7H-1.7V-5.2H1.7V-1.7H5.2V1.7H1.7V5.2H-1.7V1.7H-5.2Z", "M-5 -2.9 0-5.8 5-2.9V2.9L0 5.8-5 2.9Z",
)  # fmt: skip
"""Outlines of the same marks around the origin, for text, strips and clips."""

BY_HEX = {INK: "ink", SOFT: "soft", LINE: "line", PAPER: "paper"} | {hex_: name for name, hex_ in LIGHT.items()}


def css() -> str:
    """The colours as custom properties: light, and dark if the reader's system or choice sets it."""
    dark = {"ink": DARK_INK, "soft": DARK_SOFT, "line": DARK_LINE, "paper": DARK_PAPER, **DARK}
    classes = "\n".join(f".c-{name}{{color:var(--{name})}}" for name in LIGHT)
    return (
        f":root{{color-scheme:light dark;{light()}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{_properties(dark)}}}}}\n"
        f":root[data-theme=dark]{{{_properties(dark)}}}\n{classes}\n"
    )


def light() -> str:
    """The light colours as custom properties, also for paper."""
    return _properties({"ink": INK, "soft": SOFT, "line": LINE, "paper": PAPER, **LIGHT})


def _properties(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
