"""Measures time, memory and energy of clips, and computes their cost from prices."""
