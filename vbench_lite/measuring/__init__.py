"""What a clip costs to make: time, memory, energy, devices and prices."""
