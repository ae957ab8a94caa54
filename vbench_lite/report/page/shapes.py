"""Outlines of the markers that stand for generators in text, on strips and beside clips."""

SHAPES = (
    "M-4.6 0A4.6 4.6 0 1 0 4.6 0A4.6 4.6 0 1 0-4.6 0Z", "M-4.2-4.2H4.2V4.2H-4.2Z", "M0-5.2 5 4.2H-5Z",
    "M0-5.6 5.6 0 0 5.6-5.6 0Z", "M0 5.2 5-4.2H-5Z", "M0-5.4 5.1-1.7 3.2 4.4H-3.2L-5.1-1.7Z",
    "M-5.2-1.7H-1.7V-5.2H1.7V-1.7H5.2V1.7H1.7V5.2H-1.7V1.7H-5.2Z", "M-5 -2.9 0-5.8 5-2.9V2.9L0 5.8-5 2.9Z",
)  # fmt: skip
"""Outlines of the markers, by the number of the entry, around the origin."""
