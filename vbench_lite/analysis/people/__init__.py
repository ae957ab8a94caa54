"""What people's votes show: preference, usability, agreement, and how far the metrics agree with people."""
