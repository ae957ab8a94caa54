#!/usr/bin/env bash
# usage: benchmarks/lowest_versions.sh [FOLDER]
# Installs the lowest versions that pyproject.toml accepts, on Python 3.11, and runs the main job at small size and
# the whole test suite with them. Run it after every change of a lower bound; docs/environments.md has the results.
# FOLDER (default: a temporary one) keeps the environment, 7.5 GB.
set -euo pipefail
cd "$(dirname "$0")/.."
export HF_HUB_OFFLINE=1
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"

python3.11 -m venv "$folder/tools"
"$folder/tools/bin/pip" install --quiet uv
python3.11 -m venv "$folder/venv"
. "$folder/venv/bin/activate"
"$folder/tools/bin/uv" pip install --quiet --resolution lowest-direct -e '.[dev]'
"$folder/tools/bin/uv" pip check
vbench doctor || { echo "an installed version is outside the bounds"; exit 1; }
vbench run --suite ads --limit 2 --clips-per-prompt 1 --out "$folder/run"
pytest
