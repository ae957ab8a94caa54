"""Planned looks at a growing run: boundaries, the record of looks, and the expected number of clips."""
