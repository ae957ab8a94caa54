"""Generator definitions that ship with vbench-lite; in the package as `vbench_lite.generators`."""
