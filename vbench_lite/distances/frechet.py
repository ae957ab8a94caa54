"""Distances between the features of generated and of real clips: Fréchet (FVD) and kernel (KVD).

    d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))

with the unbiased covariances S. With centred features X and Y, each scaled by 1 / sqrt(n - 1), the
trace of the matrix root is the sum of the singular values of X Y^T, so no matrix root is taken.

Sources: Unterthiner et al., "Towards accurate generative models of video" (arXiv:1812.01717);
Binkowski et al., "Demystifying MMD GANs" (ICLR 2018, arXiv:1801.01401).
"""

from __future__ import annotations

import numpy as np

from vbench_lite.distances.intervals import Features, checked

CANCELLED = 1e-4
"""Share of the variances below which a difference of them has lost digits."""
NEARLY_EQUAL = 1e-9
"""Distance of scaled features below which sets are looked at for being the same."""


def frechet_distance(generated: Features, reference: Features) -> float:
    """Squared Fréchet distance of two Gaussians fitted to features.

    At small numbers of clips most of it is bias, upwards: compare only values of the same number
    of clips on both sides, and read `fvd_corrected` beside it.

    Args:
        generated: (clips, values). At least two clips.
        reference: (clips, values), any other number of clips, at least two.

    Returns:
        0 or more; 0 for identical sets. No unit; its scale is the network's. Relative error under 1e-9,
        also where it is a millionth of the variances; only where covariances are nearly singular as well
        is that less sure.

    Raises:
        ValueError: Fewer than two clips on a side, unlike widths, or values that are not finite or so large
            that their squares are not.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> frechet_distance(generated=x, reference=x), round(frechet_distance(generated=x + 1, reference=x), 12)
    (0.0, 3.0)
    """
    x, y = checked(generated, reference)
    x, y = x - x[0], y - x[0]  # what both share would cost digits
    size = 2.0 ** np.ceil(np.log2(max(np.abs(x).max(), np.abs(y).max(), 1e-300)))
    (x_mean, x), (y_mean, y) = _moments(x / size), _moments(y / size)
    distance = float(np.square(x_mean - y_mean).sum()) + _spread(x, y)
    if distance < NEARLY_EQUAL and _same_clips(generated, reference):
        return 0.0
    with np.errstate(over="ignore"):
        scaled = float(distance * size * size)
    if not np.isfinite(scaled):
        raise ValueError(f"features of the size of {size:.0e}: their squares are beyond floating point")
    return scaled


def _moments(features: Features) -> tuple[Features, Features]:
    """The mean, and a matrix R with R^T R the unbiased covariance, with as few rows as there can be."""
    mean = features.mean(0)
    centred = features - mean
    rest = centred.mean(0)
    centred = (centred - rest) / (len(features) - 1) ** 0.5
    if len(centred) > centred.shape[1]:
        centred = np.linalg.qr(centred, mode="r")
    return mean + rest, centred


def _spread(x: Features, y: Features) -> float:
    """|x|^2 + |y|^2 less twice the sum of the singular values of x y^T.

    Where nearly all of that cancels, the same is worked out as |x - Q y|^2 with the best rotation Q.
    """
    variances = float(np.square(x).sum() + np.square(y).sum())
    spread = variances - 2 * float(np.linalg.svd(x @ y.T, compute_uv=False).sum())
    if spread > CANCELLED * variances:
        return spread
    if len(x) < len(y):
        x, y = y, x
    left, _, right = np.linalg.svd(x @ y.T, full_matrices=False)
    return float(np.square(x - left @ (right @ y)).sum())


def _same_clips(generated: Features, reference: Features) -> bool:
    x, y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    return x.shape == y.shape and bool((x[np.lexsort(x.T)] == y[np.lexsort(y.T)]).all())
