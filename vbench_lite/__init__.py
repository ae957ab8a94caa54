"""vbench-lite: evaluate and benchmark text-to-video generators, by route, quality and cost."""

__version__ = "0.1.0"
