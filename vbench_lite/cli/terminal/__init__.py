"""Printing on a terminal or into a pipe: the console, wrapped lines, the log."""
