"""CPU time of distances between sets, beside the formula of torchmetrics' FID, all from one run.

    python benchmarks/distance_speed.py [--clips 64] [--values 400]

The formula: covariances in float64 and the eigenvalues of their product, as in
torchmetrics/image/fid.py. CPU seconds of this process on one thread, the least of several calls.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import click
import numpy as np
import torch
from bootstrap import resampled_distances
from torchmetrics.image.fid import _compute_fid

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.kernel import kernel_interval

BOOTSTRAPS = 1000
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Read when the libraries are loaded; a second thread that waits costs CPU seconds too."""


def cpu_s(work: Callable[[], object], times: int, calls: int = 1) -> float:
    """Least CPU seconds of a call, over so many goes of so many calls."""
    found = []
    for _ in range(times):
        start = time.process_time()
        for _ in range(calls):
            work()
        found.append((time.process_time() - start) / calls)
    return min(found)


def by_torchmetrics(x: np.ndarray, y: np.ndarray) -> float:
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    return float(_compute_fid(a.mean(0), torch.cov(a.T), b.mean(0), torch.cov(b.T)))


@click.command(help=__doc__)
@click.option("--clips", default=64, show_default=True)
@click.option("--values", default=400, show_default=True)
def main(clips: int, values: int) -> None:
    if os.environ | ONE_THREAD != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)
    torch.set_num_threads(1)
    x, y = np.random.default_rng(1).normal(size=(2, clips, values))
    theirs, ours = by_torchmetrics(x, y), frechet_distance(generated=x, reference=y)
    slow = cpu_s(lambda: by_torchmetrics(x, y), 5)
    fast = cpu_s(lambda: frechet_distance(generated=x, reference=y), 10, 20)
    click.echo(f"{clips} clips a side, {values} values; the formula {theirs:.9f}, here {ours:.9f}")
    click.echo(f"| work | CPU s | of the formula |\n|---|---|---|\n| torchmetrics' formula | {slow:.4f} | 1 |")
    for name, seconds in (
        ("frechet_distance", fast),
        (f"{BOOTSTRAPS} bootstrap distances", cpu_s(lambda: resampled_distances(x, y, BOOTSTRAPS), 3)),
        ("fvd_corrected with its interval", cpu_s(lambda: corrected_interval(x, y), 5)),
        ("kvd with its interval", cpu_s(lambda: kernel_interval(x, y, [""] * clips, [""] * clips), 5, 5)),
    ):
        ratio = f"1/{slow / seconds:.0f}" if seconds < slow else f"{seconds / slow:.1f}"
        click.echo(f"| {name} | {seconds:.5f} | {ratio} |")


if __name__ == "__main__":
    main()
