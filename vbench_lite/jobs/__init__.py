"""Composes the package: an order becomes a plan, clips, scores, a summary and a page.

    job            runs the order of `vbench run`
    collecting     imports clips made elsewhere as a run
    judging        sets thresholds and real clips other than those of the suite
    rescoring      scores the stored clips of a run again
"""
