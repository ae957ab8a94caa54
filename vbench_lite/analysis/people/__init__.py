"""Statistics of people's votes: preference, usability, agreement of raters, and agreement of metrics with people."""
