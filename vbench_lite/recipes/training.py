"""Code that all training recipes share: optimiser, schedule, checkpoints, curves.

Each stage of a recipe has one checkpoint, in a folder outside of version control. The same command continues where it
stopped.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MuonWithAdam:
    """Muon for the weight matrices, AdamW for everything else.

    Muon (Jordan et al., 2024) orthogonalises each update. torch's implementation accepts matrices only, so convolution
    kernels are passed as (out, in x kernel) views of the same memory. AdamW updates embeddings, norms, biases, and
    parameters that `adam` selects by name.
    """

    def __init__(
        self, modules: Iterable[nn.Module], muon_lr: float, adam_lr: float, adam: Callable[[str], bool]
    ) -> None:
        self._kernels: list[tuple[nn.Parameter, nn.Parameter]] = []
        rest = []
        for module in modules:
            for name, parameter in module.named_parameters():
                if parameter.ndim >= 2 and not adam(name):
                    flat = nn.Parameter(parameter.detach().view(parameter.shape[0], -1))
                    self._kernels.append((parameter, flat))
                else:
                    rest.append(parameter)
        flats = [flat for _, flat in self._kernels]
        self._muon = torch.optim.Muon(flats, lr=muon_lr, weight_decay=0.0)
        self._adam = torch.optim.AdamW(rest, lr=adam_lr, betas=(0.9, 0.99), weight_decay=0.0)
        self._base_lr = (muon_lr, adam_lr)

    def step(self, lr_scale: float) -> None:
        """Make one update with `lr_scale` times the base learning rates, and clear the gradients."""
        for optimiser, base in zip((self._muon, self._adam), self._base_lr, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = base * lr_scale
        for parameter, flat in self._kernels:
            flat.grad = None if parameter.grad is None else parameter.grad.view_as(flat)
            parameter.grad = None
        self._muon.step()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([p for group in self._adam.param_groups for p in group["params"]], 1.0)
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self._muon.state_dict(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])


def data_seed(work: Path, stage: str, seed: int) -> int:
    """The seed of a stage's data. A stage that continues from a checkpoint uses other clips than at its beginning.

    Args:
        work: The folder of checkpoints.
        stage: The stage's name.
        seed: The seed of a stage without a checkpoint.

    Example:
        >>> data_seed(Path("nowhere"), "lm", 7)
        7
    """
    checkpoint = work / f"{stage}.pt"
    step = torch.load(checkpoint, weights_only=True, mmap=True)["step"] if checkpoint.exists() else 0
    return seed + 1_000_003 * int(step)


def learning_rate(step: int, steps: int, warm_up: int = 50, decay_share: float = 0.35) -> float:
    """The factor of the base learning rate: linear warm-up, a plateau, then a linear decay to 2 %.

    Because of the plateau, a resumed stage can have another number of steps: only the start of the decay changes.
    """
    fall = (steps - step) / max(1.0, decay_share * steps)
    return min(1.0, (step + 1) / warm_up, max(0.02, fall))


@contextmanager
def plain_attention() -> Iterator[None]:
    """Inside the block, attention is two matrix products and a softmax, for training on a CPU.

    For some hundred tokens, the backward pass of torch's fused CPU kernel takes two to four times as long.
    """
    fused = F.scaled_dot_product_attention

    def plain(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **_: object) -> Tensor:
        scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-1, -2))
        if attn_mask is not None:
            scores = scores + attn_mask
        return torch.matmul(scores.softmax(-1), value)

    F.scaled_dot_product_attention = plain  # type: ignore[assignment]
    try:
        yield
    finally:
        F.scaled_dot_product_attention = fused


class Average:
    """Exponential moving average of modules' parameters and buffers, which is exported."""

    def __init__(self, modules: dict[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self._live = modules
        self.shadow = {k: {n: t.detach().clone() for n, t in m.state_dict().items()} for k, m in modules.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, module in self._live.items():
            for name, value in module.state_dict().items():
                if value.is_floating_point():
                    self.shadow[key][name].lerp_(value, 1 - decay)
                else:
                    self.shadow[key][name].copy_(value)

    def copies(self) -> dict[str, Any]:
        """Copies of the modules with the averaged weights. The modules in training are not changed."""
        copies = copy.deepcopy(self._live)
        self.load_into(copies)
        return copies

    def load_into(self, modules: dict[str, nn.Module]) -> None:
        for key, module in modules.items():
            module.load_state_dict(self.shadow[key])


@dataclass
class Stage:
    """One resumable training loop: modules, optimiser, optional average, checkpoint and curve."""

    name: str
    work: Path
    steps: int
    modules: dict[str, nn.Module]
    optimiser: MuonWithAdam
    average: Average | None = None
    """If there is one, the modules have the averaged weights after `run`."""
    evaluate: Callable[[], dict[str, float]] | None = None
    """Figures on held-out compositions, logged to `<name>-held-out.csv`."""
    evaluate_every: int = 100
    save_every: int = 100
    log_every: int = 25
    step: int = 0
    trained_s: float = 0.0
    _sums: dict[str, float] = field(default_factory=dict)

    @property
    def _path(self) -> Path:
        return self.work / f"{self.name}.pt"

    def run(self, loss_of_step: Callable[[int], dict[str, Tensor]]) -> None:
        """Call `loss_of_step` until all steps are done. "loss" is minimised; other values are only logged."""
        self.work.mkdir(parents=True, exist_ok=True)
        self._resume()
        before = time.monotonic()
        while self.step < self.steps:
            values = loss_of_step(self.step)
            values["loss"].backward()  # type: ignore[no-untyped-call]
            self.optimiser.step(learning_rate(self.step, self.steps))
            self.step += 1
            if self.average is not None:
                self.average.update(self.step)
            now = time.monotonic()
            self.trained_s, before = self.trained_s + now - before, now
            self._log({k: float(v.detach()) for k, v in values.items()})
            if self.evaluate is not None and self.step % self.evaluate_every == 0:
                self._write(f"{self.name}-held-out", self.evaluate())
                before = time.monotonic()
            if self.step % self.save_every == 0 or self.step == self.steps:
                self._save()
        if self.average is not None:
            self.average.load_into(self.modules)

    def _log(self, values: dict[str, float]) -> None:
        for key, value in values.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
        if self.step % self.log_every:
            return
        self._write(self.name, {k: v / self.log_every for k, v in self._sums.items()})
        self._sums.clear()

    def _write(self, name: str, figures: dict[str, float]) -> None:
        row = {"step": self.step, "minutes": round(self.trained_s / 60, 2)}
        row |= {k: round(v, 5) for k, v in figures.items()}
        append_row(self.work / f"{name}.csv", row)
        print(name, *(f"{k} {v}" for k, v in row.items()), flush=True)

    def _save(self) -> None:
        state = {
            "step": self.step,
            "trained_s": self.trained_s,
            "modules": {k: m.state_dict() for k, m in self.modules.items()},
            "optimiser": self.optimiser.state_dict(),
            "average": None if self.average is None else self.average.shadow,
        }
        part = self._path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._path)

    def _resume(self) -> None:
        if not self._path.exists():
            return
        state = torch.load(self._path, weights_only=True)
        self.step, self.trained_s = state["step"], state["trained_s"]
        for key, module in self.modules.items():
            module.load_state_dict(state["modules"][key])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average is not None:
            self.average.shadow = state["average"]
        print(f"{self.name}: continues at step {self.step} of {self.steps}", flush=True)


def draw_curves(work: Path, stages: Sequence[str], picture: Path) -> None:
    """Plot the loss of each stage and its score on held-out compositions against the steps, as SVG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import pandas as pd

    stages = [stage for stage in stages if (work / f"{stage}.csv").exists()]
    if not stages:
        return
    figure, axes = plt.subplots(1, len(stages), figsize=(4.2 * len(stages), 3.2), layout="constrained", squeeze=False)
    for axis, stage in zip(axes[0], stages, strict=True):
        curve = pd.read_csv(work / f"{stage}.csv")
        axis.plot(curve["step"], curve["loss"], color="#7a7a7a")
        axis.set(title=stage, xlabel="steps", ylabel="loss", yscale="log")
        held_out = work / f"{stage}-held-out.csv"
        if held_out.exists():
            figures = pd.read_csv(held_out)
            name = figures.columns[2]
            right = axis.twinx()
            right.plot(figures["step"], figures[name], color="#0b6e99", marker=".")
            right.set_ylabel(f"{name.replace('_', ' ')}, held out", color="#0b6e99")
    with matplotlib.rc_context({"svg.hashsalt": "vbench-lite", "svg.fonttype": "none"}):
        figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)


def forget_paths(model: Path) -> None:
    """Remove the path from which parts were loaded from an exported model's configuration files."""
    for path in model.rglob("config.json"):
        config = json.loads(path.read_text("utf-8"))
        if config.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")


def record_digests(definition: Path, model: Path) -> None:
    """Write the sha256 of every weights file in `model` into `[weights]`, the last table of a definition."""
    text = definition.read_text("utf-8").partition("\n[weights]")[0].rstrip("\n") + "\n"
    rows = [
        f'"{path.relative_to(definition.parent).as_posix()}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"\n'
        for path in sorted(model.rglob("*.safetensors"))
    ]
    definition.write_text(text + "\n[weights]\n" + "".join(rows), "utf-8")


def append_row(path: Path, row: dict[str, float]) -> None:
    """Append one row to a CSV file. The first row also writes the header."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        if fresh:
            writer.writeheader()
        writer.writerow(row)
