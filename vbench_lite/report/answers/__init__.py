"""The answers to the six questions of the first screen."""
