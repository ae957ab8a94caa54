"""Statistics of runs: means, intervals, usable clips, cost, unevenness, and differences between runs."""
