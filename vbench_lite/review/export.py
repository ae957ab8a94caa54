"""Exports reviews for use without a server: a self-contained page, or tasks for Label Studio.

Exported files contain opaque ids only, so a rater cannot look up the generators. `exports/<id>.json` in the run maps
the ids to clips, so that answers can be collected.
"""

from __future__ import annotations

import base64
import json
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vbench_lite.errors import StoreError, UsageError, system_reason
from vbench_lite.files import to_json, write_whole
from vbench_lite.review.clips import equalise
from vbench_lite.review.material import Material
from vbench_lite.review.page import page_html
from vbench_lite.review.questions import Asking, Question, make_questions
from vbench_lite.review.session import Settings, review_cache
from vbench_lite.run.reading import read_json, typed
from vbench_lite.run.votes import Answer, ClipRef, Mode, Vote

LARGEST_PAGE = 150_000_000
"""Maximum bytes of clips in a page. A larger page is slow to open, and too large for most e-mail."""


@dataclass(frozen=True)
class KeptQuestion:
    """The question of an opaque id."""

    id: str
    prompt_id: str
    clips: tuple[ClipRef, ...]
    repeat: bool = False
    expected: Answer | None = None


@dataclass(frozen=True)
class ExportKey:
    """The content of `exports/<id>.json`."""

    id: str
    mode: Mode
    asked: tuple[str, ...]
    """Keys of the questions about each clip or pair."""
    questions: dict[str, KeptQuestion] = field(default_factory=dict)
    format: int = 1

    def question(self, opaque: str) -> Question:
        """The question of an opaque id.

        Raises:
            UsageError: The export has no such question.
        """
        kept = self.questions.get(opaque)
        if kept is None:
            raise UsageError(f'the export "{self.id}" has no question {opaque!r}.')
        return Question(
            id=kept.id, mode=self.mode, prompt_id=kept.prompt_id, text="", clips=kept.clips, repeat=kept.repeat,
            expected=kept.expected,
        )


def key_path(run: Path, export: str) -> Path:
    return run / "exports" / f"{export}.json"


def read_key(run: Path, export: str) -> ExportKey:
    """The key of an export.

    Raises:
        UsageError: The run has no such export.
    """
    if not export.isalnum() or not key_path(run, export).exists():
        raise UsageError(f"the answers belong to the export {export[:60]!r}, which {run} does not have. Name its run.")
    return typed(read_json(key_path(run, export), "there is no such export."), ExportKey, key_path(run, export))


def _keyed(material: Material, settings: Settings) -> tuple[ExportKey, list[tuple[str, Question]]]:
    """A new export: its key, and the questions by opaque id, in order."""
    id_ = secrets.token_hex(8)
    asking = Asking(settings.mode, f"export-{id_}", settings.seed, settings.limit)
    questions = [*settings.warm_up, *make_questions(material, asking, settings.weights)]
    named = [(secrets.token_hex(8), question) for question in questions]
    kept = {name: KeptQuestion(q.id, q.prompt_id, q.clips, q.repeat, q.expected) for name, q in named}
    return ExportKey(id_, settings.mode, tuple(settings.questions), kept), named


def export_page(material: Material, settings: Settings, out: Path) -> int:
    """Writes a page that needs no server. It saves the votes to a file.

    Returns:
        The number of questions.

    Raises:
        UsageError: The clips do not fit into a page.
    """
    key, named = _keyed(material, settings)
    packed = _Packed(review_cache(material.folder))
    questions = []
    for opaque, question in named:
        paths = question.files or tuple(material.paths[clip] for clip in question.clips)
        shown = [packed.add(path) for path in paths]
        questions.append({
            "id": opaque, "text": question.text, "clips": [name for name, _ in shown], "late": question.repeat,
            "step": min(step for _, step in shown), "warmUp": question.expected is not None,
        })  # fmt: skip
    write_whole(key_path(material.folder, key.id), to_json(key))
    data = {"id": key.id, "questions": questions, "clips": packed.clips}
    write_whole(out, page_html(material, settings, data))
    return len(questions)


@dataclass
class _Packed:
    """The clips of a page under random names, without duplicates."""

    cache: Path
    clips: dict[str, str] = field(default_factory=dict)
    """Name > base64 of the file."""
    _names: dict[Path, tuple[str, float]] = field(default_factory=dict)
    _size: int = 0

    def add(self, path: Path) -> tuple[str, float]:
        """Adds a clip. Returns its name, and the seconds of a frame.

        Raises:
            UsageError: The clips do not fit into a page.
        """
        if path not in self._names:
            with tempfile.TemporaryDirectory() as folder:
                made = equalise([path], Path(folder), self.cache)
                content = made.paths[0].read_bytes()
            self._size += len(content)
            if self._size > LARGEST_PAGE:
                raise UsageError(
                    f"the clips are larger than {LARGEST_PAGE // 10**6} MB, the limit of one page. "
                    "Ask fewer questions with --limit N, or serve the page with --host."
                )
            self._names[path] = secrets.token_hex(8), 1 / made.fps
            self.clips[self._names[path][0]] = base64.b64encode(content).decode("ascii")
        return self._names[path]


def export_tasks(material: Material, settings: Settings, votes: Sequence[Vote], out: Path) -> int:
    """Writes pairwise tasks for Label Studio, and the clips into a folder beside the file.

    Existing votes become annotations of the tasks.

    Returns:
        The number of tasks.

    Raises:
        UsageError: The review is not one of pairs.
    """
    if settings.mode != "pairs":
        raise UsageError("tasks for Label Studio are pairs: add --pairs. For single clips export an .html page.")
    key, named = _keyed(material, settings)
    folder = out.with_name(f"{out.stem}-clips")
    folder.mkdir(parents=True, exist_ok=True)
    tasks = []
    for opaque, question in named:
        paths = question.files or tuple(material.paths[clip] for clip in question.clips)
        shown = equalise(paths, folder, review_cache(material.folder))
        left, right = (f"{folder.name}/{path.name}" for path in shown.paths)
        data = {"prompt": question.text, "left": left, "right": right, "question": opaque, "export": key.id}
        tasks.append({"data": data, "annotations": list(_annotations(question, votes))})
    write_whole(key_path(material.folder, key.id), to_json(key))
    write_whole(out, json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")
    return len(tasks)


def _annotations(question: Question, votes: Sequence[Vote]) -> Iterator[dict[str, Any]]:
    """The votes on a question in Label Studio's format, with the sides of the task."""
    turned: dict[Answer, Answer] = {"left": "right", "right": "left"}
    for vote in votes:
        if vote.id == question.id and "quality" in vote.answers:
            answer = vote.answers["quality"]
            answer = answer if vote.clips == question.clips else turned.get(answer, answer)
            result = {"from_name": "better", "to_name": "left,right", "type": "pairwise", "value": {"selected": answer}}
            if answer not in ("left", "right"):
                result = {"from_name": "none", "to_name": "left", "type": "choices", "value": {"choices": [answer]}}
            lead = {} if vote.seconds is None else {"lead_time": vote.seconds}
            yield {"completed_by": vote.rater, "result": [result], **lead, "created_at": vote.at}


def export_any(material: Material, settings: Settings, votes: Sequence[Vote], out: Path) -> str:
    """Writes the format of the file extension, and returns what it wrote.

    Raises:
        UsageError: The file extension is unknown.
        StoreError: The file cannot be written.
    """
    from vbench_lite.review.exchange import votes_csv

    ending = out.suffix.lower()
    try:
        if ending in (".html", ".htm"):
            return f"{export_page(material, settings, out)} questions"
        if ending == ".json":
            return f"{export_tasks(material, settings, votes, out)} tasks for Label Studio"
        if ending == ".csv":
            write_whole(out, votes_csv(votes))
            return f"{len(votes)} votes"
    except OSError as error:
        raise StoreError(f"cannot write {out}: {system_reason(error)}. Name another file.") from error
    known = ".html (a page), .json (tasks for Label Studio) or .csv (votes)"
    raise UsageError(f'"{out}" has no file extension of an export: expected {known}.')
