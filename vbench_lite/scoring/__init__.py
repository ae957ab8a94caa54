"""Scoring a run's stored clips, and checking that the scores still mean what they meant."""
