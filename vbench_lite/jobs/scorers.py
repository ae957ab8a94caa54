"""Computes features in this process, in one process per CUDA device, or in actors of a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.measuring.devices import find_device
from vbench_lite.scoring.pool import LIMIT_S, Content, FeatureWorker, Recipe, ScorerDied, ScorerPool
from vbench_lite.scoring.scorer import device_for


@dataclass(frozen=True)
class Scorers:
    """The device of the scoring process, and the pool that computes features; None computes them in this process."""

    device: str
    pool: ScorerPool | None = None


@contextmanager
def open_scorers(engine: str, device: str, recipe: Recipe) -> Iterator[Scorers]:
    """Starts the workers of a scoring, and ends them afterwards.

    Args:
        engine: "local" or "ray".
        device: "auto", "cpu", "cuda" for all CUDA devices, or "cuda:1".
        recipe: The features to compute.

    Raises:
        DeviceError: There is no such device.
        UsageError: Ray is not installed, or the cluster cannot be reached.
    """
    if engine == "ray":
        with _ray_pool(device, recipe) as pool:
            yield Scorers(device_for(recipe.select()), pool)
        return
    wanted = device_for(recipe.select()) if device == "auto" else device
    found = find_device(wanted)
    places = [f"cuda:{index}" for index in found.indices] if found.kind == "cuda" else ["cpu"]
    if len(places) == 1:
        yield Scorers(places[0])
        return
    with ScorerPool(recipe, places) as pool:
        yield Scorers(places[0], pool)


@contextmanager
def _ray_pool(device: str, recipe: Recipe) -> Iterator[ScorerPool]:
    """One actor per GPU of the cluster, or per CPU if it has no GPU or `device` is "cpu"."""
    from vbench_lite.running.engines import ray as engine

    found = engine.find_device(device)
    ray = engine.connect()
    on_gpu = found.kind == "cuda"
    count = found.count if on_gpu else max(1, int(ray.cluster_resources().get("CPU", 1)))
    with ScorerPool(recipe, ["cuda:0" if on_gpu else "cpu"] * count, RayPlace) as pool:
        yield pool


class RayPlace:
    """An actor of a Ray cluster. Clips are sent to it, so it needs no shared disk."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        from vbench_lite.running.engines.ray import connect

        self._ray: Any = connect()
        needs = {"num_gpus": 1} if device.startswith("cuda") else {"num_cpus": 1}
        self._actor = self._ray.remote(**needs)(FeatureWorker).remote(recipe, device)

    def compute(self, source: Content, names: Sequence[str]) -> ClipFeatures | str:
        from ray import exceptions

        try:
            found: ClipFeatures | str = self._ray.get(self._actor.compute.remote(source, names), timeout=LIMIT_S)
        except (exceptions.RayActorError, exceptions.GetTimeoutError) as error:
            raise ScorerDied(str(error).partition("\n")[0][:200]) from None  # ids of the actor follow
        return found

    def end(self) -> None:
        self._ray.kill(self._actor)
