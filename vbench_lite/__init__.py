"""Evaluate and benchmark video generators: quality, consistency, cost, compute time, manual work.

    import vbench_lite as vb
    run = vb.run("ads", generators=["tiny-diffusion"], out="results/mine")
    run.summary["tiny-diffusion"].scores["temporal_flickering"].value

Importing this package does not import torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vbench_lite import distances, metrics
    from vbench_lite.api import check, compare, gate, open_run, report, review, run, score
    from vbench_lite.errors import VbenchError
    from vbench_lite.generator import Generator, Output
    from vbench_lite.records import ClipSpec, Definition, Estimate, Price, Prompt, Request, Suite
    from vbench_lite.run.view import Run

_HOME = {
    "api": ("check", "compare", "gate", "open_run", "report", "review", "run", "score"),
    "errors": ("VbenchError",),
    "generator": ("Generator", "Output"),
    "records": ("ClipSpec", "Definition", "Estimate", "Price", "Prompt", "Request", "Suite"),
    "run.view": ("Run",),
}
"""Module > its public names. They are imported on first use."""
_MODULES = ("distances", "metrics")

__all__ = [
    "ClipSpec", "Definition", "Estimate", "Generator", "Output", "Price", "Prompt", "Request", "Run", "Suite",
    "VbenchError", "__version__", "check", "compare", "distances", "gate", "metrics", "open_run", "report", "review",
    "run", "score",
]  # fmt: skip


class _Package(ModuleType):
    """Makes `vbench_lite.run`, `.report` and `.gate` functions, although the package has folders of these names.

    Importing a module of such a folder would bind the folder to the name. `from vbench_lite.run.view import Run`
    works as usual.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME["api"] and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
