"""Imports votes from exported pages, Label Studio and CSV, and exports votes as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vbench_lite.errors import BadFile, UsageError
from vbench_lite.review.export import ExportKey, read_key
from vbench_lite.review.material import REASONS
from vbench_lite.review.session import answered
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.votes import CHOICES, QUESTIONS, ClipRef, Mode, Vote, check_rater, write_vote
from vbench_lite.userfile import parse_json, read_text

CLIP_COLUMNS = ("run", "generator", "index", "sha256")
COLUMNS = (
    "rater", "id", "mode", "prompt_id", *(f"{name}_{nth}" for nth in (1, 2) for name in CLIP_COLUMNS),
    "usable", "quality", "prompt", "reasons", "seconds", "at", "repeat", "simulated",
)  # fmt: skip
"""Columns of a CSV of votes. Clip 1 was on the left, clip 2 on the right. Clips judged alone have no clip 2."""


def votes_csv(votes: Sequence[Vote]) -> str:
    """Votes as CSV, one row per vote."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for vote in votes:
        row: dict[str, Any] = {
            "rater": vote.rater, "id": vote.id, "mode": vote.mode, "prompt_id": vote.prompt_id, **vote.answers,
            "reasons": "; ".join(vote.reasons), "seconds": "" if vote.seconds is None else vote.seconds, "at": vote.at,
            "repeat": str(vote.repeat).lower(), "simulated": str(vote.simulated).lower(),
        }  # fmt: skip
        for place, clip in enumerate(vote.clips, 1):
            row |= {f"{name}_{place}": getattr(clip, name) for name in CLIP_COLUMNS}
        writer.writerow(row)
    return text.getvalue()


def collect(run: Path, reasons: Sequence[str], paths: Sequence[Path]) -> dict[Path, int]:
    """Stores the votes of some files in a run. If a file is not valid, nothing is stored.

    Args:
        run: The run folder.
        reasons: The valid reasons for rejecting a clip.
        paths: Files saved by exported pages, exports of Label Studio (.json), or tables of votes (.csv).

    Returns:
        File > number of votes.

    Raises:
        BadFile: A file has no votes.
        UsageError: Its answers belong to an export of another run.
    """
    found = {path: _votes(run, tuple(reasons) or REASONS, path) for path in paths}
    for votes in found.values():
        for vote in votes:
            write_vote(run, vote)
    return {path: len(votes) for path, votes in found.items()}


def _votes(run: Path, reasons: tuple[str, ...], path: Path) -> list[Vote]:
    """The votes of one file. All must be on clips of this run."""
    try:
        votes = list(_read(run, reasons, path))
    except BadFile:
        raise
    except UsageError as error:
        raise BadFile(path, None, str(error)) from None
    folder = RunFolder(run)
    own = {record.sha256 for record in folder.records()}
    for vote in votes:
        if not vote.warm_up and not any(clip.run == folder.name or clip.sha256 in own for clip in vote.clips):
            names = " and ".join(sorted({clip.run for clip in vote.clips}))
            raise BadFile(path, None, f"has votes on clips of {names}, which {run} does not have. Name their run.")
    return votes


def _read(run: Path, reasons: tuple[str, ...], path: Path) -> Iterator[Vote]:
    if path.suffix.lower() == ".csv":
        yield from _from_csv(path)
        return
    if path.suffix.lower() != ".json":
        raise BadFile(path, None, "has no votes: expected a .json saved by an exported page, or a .csv of votes.")
    value = parse_json(path, read_text(path))
    if isinstance(value, dict) and isinstance(value.get("export"), str):
        yield from _from_page(run, reasons, path, value)
    elif isinstance(value, list):
        yield from _from_label_studio(run, path, value)
    else:
        raise BadFile(path, None, "has no votes: expected a file saved by an exported page, or one of Label Studio.")


def _from_page(run: Path, reasons: tuple[str, ...], path: Path, value: Mapping[str, Any]) -> Iterator[Vote]:
    key, votes, rater = read_key(run, value["export"]), value.get("votes"), value.get("rater")
    if not isinstance(votes, list) or not isinstance(rater, str):
        raise BadFile(path, None, 'expected a "rater" and a list of "votes".')
    for nth, vote in enumerate(votes):
        if not isinstance(vote, dict):
            raise BadFile(path, None, f"vote {nth + 1} is not an object.")
        yield _vote(path, nth, key, check_rater(rater), vote, reasons)


def _vote(
    path: Path, nth: int, key: ExportKey, rater: str, given: Mapping[str, Any], reasons: tuple[str, ...] = ()
) -> Vote:
    try:
        at = given.get("at")
        when = at if isinstance(at, str) and len(at) < 40 else datetime.now(UTC).isoformat(timespec="seconds")
        return answered(key.question(str(given.get("id"))), rater, given, key.asked, reasons, when)
    except UsageError as error:
        raise BadFile(path, None, f"vote {nth + 1}: {error}") from None


def _from_label_studio(run: Path, path: Path, tasks: Sequence[Any]) -> Iterator[Vote]:
    """Reads tasks of the pairwise template, as exported by Label Studio. Annotations without an answer are skipped."""
    for nth, task in enumerate(tasks):
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("export"), str):
            why = 'has no "data" with an "export", so it was not made by vbench review --pairs --export.'
            raise BadFile(path, None, f"task {nth + 1} {why}")
        key = read_key(run, data["export"])
        for annotation in task.get("annotations") or []:
            answer = _chosen(annotation)
            if answer is None or annotation.get("was_cancelled"):
                continue
            given = {
                "id": data.get("question"), "answers": {"quality": answer}, "at": annotation.get("created_at"),
                "seconds": annotation.get("lead_time"),
            }  # fmt: skip
            yield _vote(path, nth, replace(key, asked=("quality",)), _annotator(annotation), given)


def _chosen(annotation: Any) -> str | None:
    for result in annotation.get("result") or [] if isinstance(annotation, dict) else []:
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict):
            chosen = value.get("selected") or next(iter(value.get("choices") or []), None)
            if chosen in CHOICES["pairs"]:
                return str(chosen)
    return None


def _annotator(annotation: Mapping[str, Any]) -> str:
    """A label for the annotator, never an e-mail address: a number becomes "label-studio-7"."""
    by = annotation.get("completed_by")
    by = by.get("id") if isinstance(by, dict) else by
    if isinstance(by, int):
        return f"label-studio-{by}"
    return check_rater(by) if isinstance(by, str) and "@" not in by else "label-studio"


def _from_csv(path: Path) -> Iterator[Vote]:
    rows = csv.DictReader(io.StringIO(read_text(path)))
    needed = ("rater", "id", "mode", "generator_1", "sha256_1")
    if lacking := [name for name in needed if name not in (rows.fieldnames or ())]:
        raise BadFile(path, 1, f"is not a table of votes: it lacks the columns {', '.join(lacking)}.")
    for row in rows:
        try:
            yield _of_row({name: value or "" for name, value in row.items() if isinstance(name, str)})
        except (ValueError, KeyError, TypeError) as error:
            raise BadFile(path, rows.line_num, f"is not a vote: {error}.") from None


def _of_row(row: Mapping[str, str]) -> Vote:
    clips = tuple(
        ClipRef(row[f"run_{n}"], row[f"generator_{n}"], int(row[f"index_{n}"]), row[f"sha256_{n}"])
        for n in (1, 2) if row.get(f"generator_{n}")
    )  # fmt: skip
    mode: Mode = "pairs" if row["mode"] == "pairs" else "usable"
    answers: Any = {name: row[name] for name in QUESTIONS[mode] if row.get(name)}
    return Vote(
        id=row["id"], rater=check_rater(row["rater"]), mode=mode, prompt_id=row["prompt_id"], clips=clips,
        answers=answers, reasons=tuple(text for text in row.get("reasons", "").split("; ") if text),
        seconds=float(row["seconds"]) if row.get("seconds") else None, at=row.get("at", ""),
        repeat=row.get("repeat") == "true", simulated=row.get("simulated") == "true",
    )  # fmt: skip
