"""Preference for generators: the Bradley-Terry model with ties and a side bias.

The model of ties is that of Davidson (1970), the effect of the order that of Davidson and Beaver (1977). With strengths
a and b, tie parameter t and side effect s, the left clip wins with weight exp(s / 2 + a), the right clip with
exp(b - s / 2), and a tie has the weight exp(t + (a + b) / 2). Strengths are log odds with the sum 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from vbench_lite.analysis.people.crossed import estimate, spread
from vbench_lite.analysis.people.tables import PairTable
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.stats import Array

RIDGE = 0.05
"""Ridge penalty. It keeps strengths finite if one generator wins every vote."""
SEPARATED = "a generator won or lost every vote: its strength has no upper or lower end"


@dataclass(frozen=True, eq=False)
class Fit:
    """The fitted model."""

    entries: tuple[str, ...]
    strengths: Array
    """Log odds with the sum 0."""
    tie: float
    side: float
    """Side bias. Positive: raters prefer the left side."""
    influence: Array
    """Influence of each vote on each strength and on `side`, shape (votes, entries + 1)."""
    connected: bool
    """Whether the compared pairs connect all generators."""

    def chance(self, a: int, b: int) -> float:
        """Probability that a is preferred to b, without side bias. Ties count as half."""
        difference = float(self.strengths[a] - self.strengths[b])
        weights = np.array([difference / 2, -difference / 2, self.tie])
        win, _, tie = special.softmax(weights)
        return float(win + tie / 2)


def fit(table: PairTable) -> Fit | None:
    """Fit the model by maximum likelihood; None without votes.

    Example:
        >>> from vbench_lite.run.votes import ClipRef, Vote
        >>> clips = (ClipRef("r", "a", 0, "1"), ClipRef("r", "b", 0, "2"))
        >>> answers = ["left"] * 30 + ["right"] * 10
        >>> votes = [Vote(id=f"{n:04d}", rater="x", mode="pairs", prompt_id=f"p{n}", clips=clips[:: (-1) ** n],
        ...     answers={"quality": answers[n] if n % 2 == 0 else {"left": "right", "right": "left"}[answers[n]]})
        ...     for n in range(40)]
        >>> from vbench_lite.analysis.people.tables import pair_table
        >>> found = fit(pair_table(votes, "quality", "r"))
        >>> found.entries[int(found.strengths.argmax())], round(found.chance(0, 1), 2)
        ('a', 0.75)
    """
    if not len(table.points):
        return None
    size = len(table.entries)
    design = np.zeros((len(table.points), size))
    rows = np.arange(len(table.points))
    design[rows, table.left] += 1
    design[rows, table.right] -= 1
    result = optimize.minimize(_loss, np.zeros(size + 2), args=(design, table.points), jac=True, method="BFGS")
    scores, information = _derivatives(result.x, design, table.points)
    bread = np.linalg.pinv(information + RIDGE * np.eye(size + 2))
    influence = len(table.points) * scores @ bread
    centre = result.x[:size] - result.x[:size].mean()
    on_strengths = influence[:, :size] - influence[:, :size].mean(1, keepdims=True)
    return Fit(
        entries=table.entries, strengths=centre, tie=float(result.x[size]), side=float(result.x[size + 1]),
        influence=np.column_stack([on_strengths, influence[:, size + 1]]), connected=_connected(table),
    )


def _weights(parameters: Array, design: Array) -> Array:
    """Log weights of left, tie and right, shape (votes, 3)."""
    difference, tie, side = design @ parameters[:-2], parameters[-2], parameters[-1]
    half = (difference + side) / 2
    return np.column_stack([half, np.full(len(half), tie), -half])


def _chosen(points: Array) -> Array:
    return np.column_stack([points == 1, points == 0.5, points == 0])


def _loss(parameters: Array, design: Array, points: Array) -> tuple[float, Array]:
    logs = special.log_softmax(_weights(parameters, design), axis=1)
    scores = _scores(np.exp(logs), design, points)
    loss = -float((logs * _chosen(points)).sum()) + RIDGE / 2 * float(parameters @ parameters)
    return loss, -scores.sum(0) + RIDGE * parameters


def _scores(chances: Array, design: Array, points: Array) -> Array:
    """The derivative of each vote's log likelihood, shape (votes, parameters)."""
    rest = _chosen(points) - chances
    half = (rest[:, 0] - rest[:, 2]) / 2
    return np.column_stack([half[:, None] * design, rest[:, 1], half])


def _derivatives(parameters: Array, design: Array, points: Array) -> tuple[Array, Array]:
    """The score of each vote, and the information matrix (negative second derivative)."""
    chances = special.softmax(_weights(parameters, design), axis=1)
    left, tie, right = chances.T
    slope = (left + right - (left - right) ** 2) / 4  # variance of the half difference
    cross = -(left - right) / 2 * tie
    full = np.column_stack([design, np.zeros(len(design)), np.ones(len(design))])
    information = full.T @ (slope[:, None] * full)
    information[-2, :] = information[:, -2] = full.T @ cross
    information[-2, -2] = float((tie * (1 - tie)).sum())
    return _scores(chances, design, points), information


def _connected(table: PairTable) -> bool:
    group = list(range(len(table.entries)))
    for a, b in {*zip(table.left.tolist(), table.right.tolist(), strict=True)}:
        old, new = group[b], group[a]
        group = [new if each == old else each for each in group]
    return len(set(group)) <= 1


def strength(found: Fit, table: PairTable, entry: int) -> Estimate:
    """The strength of one generator with its interval over prompts and raters."""
    value = float(found.strengths[entry])
    if not found.connected:
        why = "not every generator was compared with the others, directly or through other generators"
        return Estimate(None, n=len(table.points), reason=why, reason_code=ReasonCode.TOO_FEW)
    if separated(table, entry):
        return Estimate(value, n=len(table.points), reason=SEPARATED, reason_code=ReasonCode.NO_INTERVAL)
    return estimate(value, found.influence[:, entry], table.clusters)


def separated(table: PairTable, entry: int) -> bool:
    """Whether a generator won every vote, or lost every vote."""
    points = np.concatenate([table.points[table.left == entry], 1 - table.points[table.right == entry]])
    return bool(len(points)) and (bool((points == 1).all()) or bool((points == 0).all()))


def difference_variance(found: Fit, table: PairTable, a: int, b: int) -> float | None:
    """The variance of the difference of two strengths."""
    known = spread(found.influence[:, a] - found.influence[:, b], table.clusters)
    return None if known is None else known.variance
