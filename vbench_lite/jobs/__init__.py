"""Composes the parts: an order becomes a plan, clips, scores, a summary and a page.

    job            a run as `vbench run` asks for it
    collecting     clips made elsewhere become a run
    judging        thresholds and real clips other than those of the suite
    rescoring      the stored clips of a run are scored again
"""
