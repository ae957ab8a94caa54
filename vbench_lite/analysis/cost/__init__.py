"""Time, energy and money of clips: measured batches, cost per clip, and the load of the machine."""
