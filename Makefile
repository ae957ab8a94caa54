.PHONY: help check test run gate
help:          ## Print this
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/ -/'
check:         ## Style and types
	ruff check . && mypy
test:          ## All tests (CPU, offline)
	pytest
run:           ## The main job
	vbench run --suite ads
gate: run      ## Hold that run against the committed baseline
	vbench gate results/ads --baseline results/baseline
