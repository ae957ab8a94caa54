"""Scores the stored clips of a run, and checks that metrics and machines still give the expected scores."""
