"""The six questions of the first screen, one answer each."""
