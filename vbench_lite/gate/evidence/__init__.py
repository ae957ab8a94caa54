"""The evidence of each check: paired scores, distances of sets, votes, counts, categories, problems of the runs."""
