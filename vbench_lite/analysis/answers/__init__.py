"""Single analyses: the leading generator, unevenness, the gain of images, VBench's totals."""
