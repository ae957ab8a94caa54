"""Squared distances between two sets of clips, from feature arrays, with intervals. Needs only numpy and scipy.

    frechet_distance(x, y)                      squared Fréchet distance (FVD, on video features)
    corrected_interval(x, y, xp, yp)            the same, corrected for the bias of small sets, with an interval
    kernel_distance(x, y)                       squared maximum mean discrepancy (KVD, on video features)
    kernel_interval(x, y, xp, yp)               the same with an interval

`x` and `y` have the shape (clips, values). `xp` and `yp` are the prompts of the clips.
"""

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.kernel import kernel_distance, kernel_interval

__all__ = ["corrected_interval", "frechet_distance", "kernel_distance", "kernel_interval"]
