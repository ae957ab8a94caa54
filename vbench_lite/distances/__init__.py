"""Distances between two sets of clips, from feature arrays, with intervals."""
