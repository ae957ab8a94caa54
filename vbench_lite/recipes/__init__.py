"""Training of the networks of this repository. Code that runs in a benchmark does not import this folder."""
