"""Measures what a clip costs: time, memory, energy, devices and prices."""
