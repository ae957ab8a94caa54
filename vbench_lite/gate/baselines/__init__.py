"""Baselines: their files and fixed margins."""
