"""The Fréchet distance between features of generated and real clips (FVD, on video features).

    d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))

S are the unbiased covariances. With centred features X and Y, each scaled by 1 / sqrt(n - 1), the trace of the matrix
square root is the sum of the singular values of X Y^T. So no matrix square root is computed.

Source: Unterthiner et al., "Towards accurate generative models of video" (arXiv:1812.01717).
"""

from __future__ import annotations

import numpy as np

from vbench_lite.distances.intervals import Features, checked

CANCELLED = 1e-4
"""A difference of variances below this fraction of them has lost digits by cancellation."""
NEARLY_EQUAL = 1e-9
"""For scaled distances below this, the function checks whether both sets are the same clips."""


def frechet_distance(generated: Features, reference: Features) -> float:
    """Squared Fréchet distance of two Gaussians fitted to features.

    With few clips, the value is mostly upward bias. Compare only values with equal numbers of clips on both sides, and
    read `fvd_corrected` with it.

    Args:
        generated: Features of the generated clips, (clips, values), at least two clips.
        reference: Features of the real clips, (clips, values), at least two clips. The number of clips may differ.

    Returns:
        The squared distance, 0 or more; 0 for identical sets. Its scale depends on the network. The
        relative error is below 1e-9, also for distances of a millionth of the variances, unless the covariances are
        nearly singular.

    Raises:
        ValueError: A side has fewer than two clips, the numbers of values differ, or values are not finite or so large
            that their squares overflow.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> frechet_distance(generated=x, reference=x), round(frechet_distance(generated=x + 1, reference=x), 12)
    (0.0, 3.0)
    """
    x, y = checked(generated, reference)
    x, y = x - x[0], y - x[0]  # centred on a common point to avoid cancellation
    size = 2.0 ** np.ceil(np.log2(max(np.abs(x).max(), np.abs(y).max(), 1e-300)))
    (x_mean, x), (y_mean, y) = _moments(x / size), _moments(y / size)
    distance = float(np.square(x_mean - y_mean).sum()) + _spread(x, y)
    if distance < NEARLY_EQUAL and _same_clips(*checked(generated, reference)):
        return 0.0
    with np.errstate(over="ignore"):
        scaled = float(distance * size * size)
    if not np.isfinite(scaled):
        raise ValueError(f"features of magnitude {size:.0e} are too large: their squares overflow")
    return scaled


def _moments(features: Features) -> tuple[Features, Features]:
    """The mean, and a matrix R with as few rows as possible for which R^T R is the unbiased covariance."""
    mean = features.mean(0)
    centred = features - mean
    rest = centred.mean(0)
    centred = (centred - rest) / (len(features) - 1) ** 0.5
    if len(centred) > centred.shape[1]:
        centred = np.linalg.qr(centred, mode="r")
    return mean + rest, centred


def _spread(x: Features, y: Features) -> float:
    """|x|^2 + |y|^2 minus twice the sum of the singular values of x y^T.

    If this difference loses digits by cancellation, it is computed as |x - Q y|^2 with the best rotation Q.
    """
    variances = float(np.square(x).sum() + np.square(y).sum())
    spread = variances - 2 * float(np.linalg.svd(x @ y.T, compute_uv=False).sum())
    if spread > CANCELLED * variances:
        return spread
    if len(x) < len(y):
        x, y = y, x
    left, _, right = np.linalg.svd(x @ y.T, full_matrices=False)
    return float(np.square(x - left @ (right @ y)).sum())


def _same_clips(x: Features, y: Features) -> bool:
    return x.shape == y.shape and bool((x[np.lexsort(x.T)] == y[np.lexsort(y.T)]).all())
