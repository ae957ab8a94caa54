"""Answers to single questions: who leads, how uneven a generator is, what an image gains, VBench's totals."""
