"""From clips' rows to numbers: means, intervals, usable clips, cost, unevenness, and what differs between runs."""
