"""Baselines: their files, fixed margins, the history of promotions, and figures by release."""
