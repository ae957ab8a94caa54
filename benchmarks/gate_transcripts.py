"""The transcripts of docs/gate.md: a pass, a fail and an undecided gate, each on real runs, as a terminal shows them.

    python benchmarks/gate_transcripts.py --work FOLDER             print them
    python benchmarks/gate_transcripts.py --work FOLDER --write     put them into docs/gate.md

The runs are made in FOLDER and kept: what is there is not made again. On two idle cores all of it takes five minutes.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "gate.md"
BEGIN, END = "<!-- transcripts: benchmarks/gate_transcripts.py -->", "<!-- end of transcripts -->"


class Story(NamedTuple):
    """One transcript: the runs that it needs, the gate's command, and what it tells."""

    text: str
    runs: tuple[str, ...]
    gate: str


STORIES = (
    Story(
        "Pass: the same diffusion generator with new seeds.",
        (
            "vbench run --suite ads --no-report --out results/ads",
            "vbench run --suite ads --no-report -g tiny-diffusion --seed 1 --out results/seeds",
        ),
        "vbench gate results/seeds --baseline results/ads:tiny-diffusion",
    ),
    Story(
        "Fail: the diffusion generator with 1 denoising step instead of 16.",
        (
            "vbench run --suite ads --no-report -g tiny-diffusion --sweep num_inference_steps=1 --out results/hasty",
        ),
        "vbench gate results/hasty --baseline results/ads:tiny-diffusion",
    ),
    Story(
        "Undecided: new seeds again, but only 12 prompts.",
        (
            "vbench run --suite ads --no-report -g tiny-diffusion --limit 12 --out results/small",
            "vbench run --suite ads --no-report -g tiny-diffusion --limit 12 --seed 1 --out results/small-seeds",
        ),
        "vbench gate results/small-seeds --baseline results/small",
    ),
)


def vbench(command: str, work: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command line of the docs in the working folder."""
    words = [sys.executable, "-c", "from vbench_lite.cli import main; main()", *shlex.split(command)[1:]]
    plain = os.environ | {"COLUMNS": "140", "NO_COLOR": "1"}
    return subprocess.run(words, cwd=work, env=plain, capture_output=True, text=True, check=False)


def transcript(story: Story, work: Path) -> str:
    """One story as Markdown."""
    for command in story.runs:
        print(f"$ {command}", file=sys.stderr, flush=True)
        made = vbench(command, work)
        if made.returncode:
            raise SystemExit(made.stderr or made.stdout)
    seen = vbench(story.gate, work)
    if seen.returncode not in (0, 3, 4):
        raise SystemExit(seen.stderr)
    shown = [f"$ {story.gate}", *seen.stdout.splitlines(), "$ echo $?", str(seen.returncode)]
    return "\n".join([story.text, "", *(f"    {line}".rstrip() for line in shown)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="Where the runs are made and kept.")
    parser.add_argument("--write", action="store_true", help="Put the transcripts into docs/gate.md.")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    transcripts = "\n\n".join(transcript(story, given.work) for story in STORIES)
    if not given.write:
        print(transcripts)
        return
    page = PAGE.read_text("utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{transcripts}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
