"""The sections of the page, a file each: see `vbench_lite.report.page`."""
