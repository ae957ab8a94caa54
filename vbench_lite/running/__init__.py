"""Generates the clips of a run: processes, batches, budget and interrupts."""
