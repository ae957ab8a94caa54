"""What time, energy and money clips took: measured batches, cost per clip, and the load of the machine."""
