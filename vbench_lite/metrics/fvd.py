"""Distances between the features of generated and of real clips: Fréchet (FVD) and kernel (KVD).

    d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))

with the unbiased covariances S. With centred features X and Y, each scaled by 1 / sqrt(n - 1), the
trace of the matrix root is the sum of the singular values of X Y^T, so no matrix root is taken.

Sources: Unterthiner et al., "Towards accurate generative models of video" (arXiv:1812.01717);
Binkowski et al., "Demystifying MMD GANs" (ICLR 2018, arXiv:1801.01401).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from vbench_lite.metrics.fvd_corrected import corrected_interval
from vbench_lite.metrics.kernel import kernel_distance, kernel_interval
from vbench_lite.metrics.set_intervals import Features, checked
from vbench_lite.records import Estimate

NO_INTERVAL = "no interval of a plain FVD holds at these numbers of clips; see fvd_corrected"


def frechet_distance(generated: Features, reference: Features) -> float:
    """Squared Fréchet distance of two Gaussians fitted to features.

    At small numbers of clips most of it is bias, upwards: compare only values of the same number
    of clips on both sides, and read `fvd_corrected` beside it.

    Args:
        generated: (clips, values). At least two clips.
        reference: (clips, values), any other number of clips, at least two.

    Returns:
        0 or more; 0 for identical sets. No unit; its scale is the network's.

    Raises:
        ValueError: Fewer than two clips on a side, unlike widths, or values that are not finite.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> frechet_distance(generated=x, reference=x), round(frechet_distance(generated=x + 1, reference=x), 12)
    (0.0, 3.0)
    """
    x, y = checked(generated, reference)
    mean = np.square(x.mean(0) - y.mean(0)).sum()
    x, y = _root(x), _root(y)
    spread = np.square(x).sum() + np.square(y).sum() - 2 * nuclear_norm(x, y)
    distance = float(mean + spread)
    return distance if distance > 1e-12 * float(np.square(x).sum() + np.square(y).sum()) else 0.0


def _root(features: Features) -> Features:
    """A matrix R with R^T R the unbiased covariance, with as few rows as there can be."""
    centred = (features - features.mean(0)) / (len(features) - 1) ** 0.5
    if len(centred) <= centred.shape[1]:
        return centred
    triangle: Features = np.linalg.qr(centred, mode="r")  # type: ignore[assignment]
    return triangle


def nuclear_norm(x: Features, y: Features) -> float:
    """Sum of the singular values of x y^T."""
    return float(np.linalg.svd(x @ y.T, compute_uv=False).sum())


class SetMetric(Metric):
    """A distance between two sets of clips. Merging two gives what one would give that saw all clips.

    `update` takes features, (clips, values), of either side.
    """

    full_state_update = False
    higher_is_better = False
    generated: list[Tensor]
    reference: list[Tensor]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.add_state("generated", [], dist_reduce_fx="cat")
        self.add_state("reference", [], dist_reduce_fx="cat")

    def update(self, generated: Any = None, reference: Any = None) -> None:
        for state, features in ((self.generated, generated), (self.reference, reference)):
            if features is not None:
                state.append(torch.as_tensor(features, dtype=torch.float64))

    def sides(self) -> tuple[Features, Features]:
        parts = (self.generated, self.reference)
        x, y = ((torch.cat(p) if isinstance(p, list) else p).double().cpu().numpy() for p in parts)
        return x, y

    def compute(self) -> float:
        return self.distance(*self.sides())

    def estimate(self, generated_prompts: Sequence[str], reference_prompts: Sequence[str]) -> Estimate:
        """The distance with its 95 % interval, where there is one.

        Args:
            generated_prompts: The prompt of each generated clip, in the order of `update`; it is prompts
                that are resampled, because clips of one prompt are alike.
            reference_prompts: Likewise for the real clips; "" where they have none.
        """
        return Estimate(self.compute(), n=len(generated_prompts), reason=NO_INTERVAL)

    @staticmethod
    def distance(generated: Features, reference: Features) -> float:
        raise NotImplementedError


class Fvd(SetMetric):
    """`frechet_distance` of all clips seen."""

    distance = staticmethod(frechet_distance)


class FvdCorrected(SetMetric):
    """`fvd_corrected.corrected_interval` of all clips seen."""

    def compute(self) -> float:
        return corrected_interval(*self.sides()).value

    def estimate(self, generated_prompts: Sequence[str], reference_prompts: Sequence[str]) -> Estimate:
        try:
            found = corrected_interval(*self.sides(), generated_prompts, reference_prompts)
        except ValueError as error:
            return Estimate(None, n=len(generated_prompts), reason=str(error))
        return Estimate(found.value, found.low, found.high, len(generated_prompts))


class Kvd(SetMetric):
    """`kernel_distance` of all clips seen."""

    distance = staticmethod(kernel_distance)

    def estimate(self, generated_prompts: Sequence[str], reference_prompts: Sequence[str]) -> Estimate:
        try:
            found = kernel_interval(*self.sides(), generated_prompts, reference_prompts)
        except ValueError as error:
            return Estimate(None, n=len(generated_prompts), reason=str(error))
        few = None if found.low is not None else "too few prompts for an interval"
        return Estimate(found.value, found.low, found.high, len(generated_prompts), reason=few)
