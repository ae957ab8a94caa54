"""Planned looks at a run that grows: boundaries, the record of the looks taken, and how many clips are expected."""
