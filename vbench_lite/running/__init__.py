"""Making the clips of a run: the plan, the processes that work it off, and what makes it safe to kill."""
