"""The sections of the page, one file each. See `vbench_lite.report.page`."""
