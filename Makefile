.DEFAULT_GOAL := help
.PHONY: help install check test run gate packages site repository release

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Install the package from this checkout, with the tools of development
	pip install -e '.[dev,docs]'

check: ## Style and types
	ruff check .
	mypy

test: ## All tests (CPU, offline)
	pytest

run: ## The main job
	vbench run --suite ads

gate: run ## Compare that run with the committed baseline
	vbench gate results/ads --baseline results/baseline

packages: ## Build wheel and sdist, install the wheel elsewhere and run the main job at small size
	.ci/packages

site: ## Build the documentation into site/
	mkdocs build --strict

repository: ## Replace the repository's address in all files: make repository TO=github.com/you/vbench-lite
	.ci/repository $(TO)

release: ## Check that a release is ready, test its packages in a fresh environment, and tag it: make release VERSION=0.2.0
	.ci/release $(VERSION)
