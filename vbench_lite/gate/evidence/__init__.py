"""The evidence of checks: paired scores, set distances, votes, counts, categories, and problems of whole runs."""
