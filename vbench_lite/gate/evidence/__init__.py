"""What each check rests on: paired scores, distances of sets, votes, counts, categories, problems of the runs."""
