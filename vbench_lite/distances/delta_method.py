"""Derivatives of a function of traces and overlaps, by secants in coordinates where it bends little.

What is seen of two sets is (t1, t2, o11, o22, o12, q11, q22, and whatever else): traces, overlaps of large parts and
overlaps of small ones. A trace and its overlaps rise and fall together, and what is wanted depends on the small
differences between them; so the coordinates are log t, log (t - o) / t and log (t - q) / (t - o), and a step in them is
a standard error long.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vbench_lite.distances.intervals import Features

LEAST = 1e-9
"""Of a trace: what overlaps fall short by, at least, so that it has a logarithm."""
SHORTEST_STEP = 1e-4

TRACE, LARGE, SMALL = slice(0, 2), slice(2, 4), slice(5, 7)


def secant_slopes(function: Callable[[Features], float], seen: Features, spread: Features) -> Features:
    """The derivatives of `function` at `seen`, one for each number.

    Args:
        function: Of as many numbers as `seen` has.
        seen: Traces, overlaps and others, as above.
        spread: (numbers, any): what each moves by with the weight of each of several things, of which all squares
            add up to its variance.
    """
    to_logs = _jacobian(seen)
    steps = np.maximum(np.sqrt(np.square(to_logs @ spread).sum(1)), SHORTEST_STEP)
    place = _logs(seen)
    rises = [function(_seen(place + step)) - function(_seen(place - step)) for step in np.diag(steps)]
    slopes: Features = (np.array(rises) / (2 * steps)) @ to_logs
    return slopes


def _shortfalls(seen: Features) -> tuple[Features, Features]:
    """t - o and t - q, neither nothing."""
    large = np.maximum(seen[TRACE] - seen[LARGE], LEAST * seen[TRACE])
    return large, np.maximum(seen[TRACE] - seen[SMALL], large * (1 + LEAST))


def _logs(seen: Features) -> Features:
    large, small = _shortfalls(seen)
    place = seen.copy()
    place[TRACE], place[LARGE], place[SMALL] = np.log(seen[TRACE]), np.log(large / seen[TRACE]), np.log(small / large)
    return place


def _seen(place: Features) -> Features:
    traces = np.exp(place[TRACE])
    large = traces * np.exp(place[LARGE])
    seen = place.copy()
    seen[TRACE], seen[LARGE], seen[SMALL] = traces, traces - large, traces - large * np.exp(place[SMALL])
    return seen


def _jacobian(seen: Features) -> Features:
    """Derivatives of `_logs`: (coordinates, numbers seen)."""
    (large, small), found = _shortfalls(seen), np.eye(len(seen))
    for side, trace in enumerate(seen[TRACE]):
        t, o, q = side, 2 + side, 5 + side
        found[t, t] = 1 / trace
        found[o, [t, o]] = 1 / large[side] - 1 / trace, -1 / large[side]
        found[q, [t, o, q]] = 1 / small[side] - 1 / large[side], 1 / large[side], -1 / small[side]
    return found
