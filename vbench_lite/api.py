"""The public functions run, score, compare, gate, check, review and report. Each corresponds to a command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vbench_lite.errors import GeneratorError
from vbench_lite.jobs.collecting import collect
from vbench_lite.jobs.job import DEFAULT_GENERATORS, Job, Order
from vbench_lite.jobs.judging import read_judging
from vbench_lite.jobs.rescoring import score_folder
from vbench_lite.run.view import Run
from vbench_lite.run.view import open_run as open_run

if TYPE_CHECKING:
    from vbench_lite.analysis.compare import PairComparison
    from vbench_lite.checks import CheckReport
    from vbench_lite.gate.verdict import Verdict
    from vbench_lite.report.output import Clips


def run(
    suite: str | Path, generators: Sequence[str | Path] = DEFAULT_GENERATORS, out: str | Path | None = None, *,
    clips_per_prompt: int | None = None, limit: int | None = None, seed: int = 0, device: str = "auto",
    backbones: str = "builtin", metrics: str | None = None, thresholds: str | Path | None = None,
    reference: str | Path | None = None, fresh: bool = False, max_cost: float | None = None, report: bool = False,
) -> Run:  # fmt: skip
    """Generates the clips of a suite with each generator and scores them: `vbench run` from Python.

    The same call continues an interrupted run, and does nothing for a complete run.

    Args:
        suite: A name such as "ads", or a suite file.
        generators: Names, TOML files, or classes as "pkg.mod:Class".
        out: The run folder; None is results/<suite>.
        clips_per_prompt: Clips per prompt. None: the number in the suite.
        limit: Number of prompts to use, from the start of the suite. None: all prompts.
        seed: Random seed of the run. Clips of the same seed, prompt and index are paired across generators.
        device: "auto", "cpu", "cuda" or "cuda:0".
        backbones: The set of networks behind the scores: "builtin", "standard", or a TOML file.
        metrics: Names, sets (builtin, scenario, vbench, all), Python files and classes, joined by commas. None: the
            built-in metrics and your own.
        thresholds: A TOML file with a table [usable], or a suite: the thresholds of a usable clip. They are stored in
            the run. None: those of the run, or those of the suite if the run has none.
        reference: A folder of real clips, "world" or "none". It is stored in the run. None: that of the run, or that
            of the suite if the run has none.
        fresh: Deletes the contents of the run folder first.
        max_cost: Cost limit in US dollars. The run stops before it spends more. None: no limit.
        report: Also writes the page reports/<name>.html.

    Returns:
        The run, scored.

    Raises:
        UsageError: A name, file or number is not valid.
        PlanConflict: The folder contains a run of another plan.
        GeneratorError: A generator cannot be run, or generated no clip. The clips of the other generators are kept and
            scored.

    Example:
        >>> import vbench_lite as vb
        >>> run = vb.run("ads", generators=["tiny-diffusion"], out="results/mine", limit=1)  # doctest: +SKIP
        >>> run.summary["tiny-diffusion"].failed  # doctest: +SKIP
        0
    """
    job = Job(
        Order(
            str(suite), tuple(map(str, generators)), clips_per_prompt=clips_per_prompt, limit=limit, seed=seed,
            device=device, backbones=backbones, metrics=metrics, out=None if out is None else Path(out), fresh=fresh,
            max_cost=max_cost, thresholds=None if thresholds is None else str(thresholds),
            reference=None if reference is None else str(reference),
        )
    )
    job.check()
    outcome = job.generate()
    if outcome.ready + outcome.made + len(outcome.failed):
        job.score(outcome)
    if outcome.errors or outcome.wholly_failed:
        failed = [f'no clip of "{name}" could be generated' for name in outcome.wholly_failed]
        raise GeneratorError("; ".join([*outcome.errors.values(), *failed]))
    if report:
        job.report()
    return Run(job.folder)


def score(
    target: str | Path, suite: str | Path | None = None, out: str | Path | None = None, *,
    backbones: str | None = None, metrics: str | None = None, workers: int | None = None,
    thresholds: str | Path | None = None, reference: str | Path | None = None, tables: Sequence[str | Path] = (),
) -> Run:  # fmt: skip
    """Scores a run again, or clips that were made elsewhere: `vbench score` from Python.

    Args:
        target: A run. With `suite`: a folder of clips.
        suite: The suite of the clips in the folder. None: `target` is a run.
        out: With a folder of clips: the run folder. None is results/<name of the folder>.
        backbones: The set of networks behind the scores. None: that of the run.
        metrics: As for `run`.
        thresholds: As for `run`.
        reference: As for `run`.
        tables: Files of scores that were computed elsewhere, as for `--import`. They are stored in the run.
        workers: Number of processes that read clips in parallel. None: one per CPU core.

    Returns:
        The run, scored.

    Raises:
        UsageError: There is no such folder or run.
        BadFile: A table names unknown clips, or contains a clip twice.
        StoreError: The run has no clips.

    Example:
        >>> import vbench_lite as vb
        >>> vb.score("my-clips", suite="ads").clips["temporal_flickering"].mean()  # doctest: +SKIP
        0.98
    """
    from vbench_lite.scoring.importing import import_table

    judging, generator = read_judging(thresholds, reference), None
    if suite is None:
        run = open_run(target)
        folder, generator = run.folder, run.selected
    else:
        folder = collect(Path(target), str(suite), None if out is None else Path(out), backbones).folder
    for table in tables:
        import_table(folder, Path(table), generator)
    score_folder(folder, backbones, workers, metrics, judging)
    return Run(folder)


def compare(baseline: str | Path | Run, candidate: str | Path | Run) -> list[PairComparison]:
    """Compares two runs, or two generators, pair by pair: `vbench compare` from Python.

    Args:
        baseline: A run, or a run argument such as "results/ads:tiny-diffusion".
        candidate: Likewise.

    Returns:
        One comparison for each generator of both runs, or for the two named generators.

    Raises:
        NotComparable: The runs differ in suite, prompts, clips, backbones, versions or clip form.

    Example:
        >>> import vbench_lite as vb
        >>> (pair,) = vb.compare("results/baseline:tiny-transformer", "results/baseline:tiny-diffusion")
        >>> [str(c.words) for c in pair.comparisons if c.metric == "detail"]
        ['better']
    """
    from vbench_lite.analysis.compare import compare_runs

    return compare_runs(_opened(baseline), _opened(candidate))


def gate(
    candidate: str | Path | Run, baseline: str | Path | Run, policy: str | Path | None = None
) -> Verdict:
    """Decides whether a candidate may be released: `vbench gate` from Python.

    Args:
        candidate: A run, or one generator of it.
        baseline: The run or baseline folder to compare with.
        policy: A policy file or its name. None: the policy of the baseline, or the default if it has none.

    Returns:
        The verdict (pass, fail or undecided), every check, and what an undecided verdict needs.

    Raises:
        NotComparable: The scores of the runs have different meanings.
        BadFile: The policy is not valid.

    Example:
        >>> import vbench_lite as vb
        >>> vb.gate("results/baseline", baseline="results/baseline").outcome
        'pass'
    """
    from vbench_lite.gate.judge import judge

    return judge(_opened(candidate), _opened(baseline), None if policy is None else str(policy))


def check(run: str | Path | Run, again: int = 0) -> CheckReport:
    """Checks a run for signs that its numbers are unreliable: `vbench check` from Python.

    Args:
        run: A scored run, or one generator of it.
        again: Number of prompts for which one clip is generated again, in a temporary folder, and compared with the
            stored clip. 0 generates nothing.

    Returns:
        The findings, each with a code, a sentence and the next command.

    Raises:
        StoreError: The run is missing or not scored.
        UsageError: A generator of the run is not found on this machine, so that no clip can be generated again.

    Example:
        >>> import vbench_lite as vb
        >>> vb.check("results/baseline").problems
        ()
    """
    import tempfile

    from vbench_lite.checks import check_run
    from vbench_lite.jobs.regenerating import generate_again

    opened = _opened(run)
    if not again:
        return check_run(opened)
    with tempfile.TemporaryDirectory() as folder:
        return check_run(opened, generate_again(opened, again, Path(folder)))


def review(
    runs: str | Path | Run | Sequence[str | Path | Run], mode: Literal["usable", "pairs"] = "usable", *,
    prompt_adherence: bool = False, limit: int | None = None, seed: int = 0, warm_up: bool = False,
    host: str | None = None, port: int = 0, prices: str | Path | None = None, collect: Sequence[str | Path] = (),
    open_browser: bool = True,
) -> Run:  # fmt: skip
    """Lets people judge clips on a local page, without seeing which generator made them: `vbench review` from Python.

    Serves the page until it is interrupted (Ctrl-C, or the stop button of a notebook), then counts the votes.

    Args:
        runs: A run, or several whose clips are paired. Votes are stored in the first.
        mode: "usable": keep or reject each clip. "pairs": which of two clips of a prompt is better?
        prompt_adherence: With pairs, also asks which clip follows the prompt better.
        limit: Number of questions for each rater. None: all questions.
        seed: Random seed of the order of the questions.
        warm_up: Begins with two questions with known answers.
        host: Address on which the page is served to other machines. The link then contains a token. None: this
            machine only.
        port: Port of the page. 0: a free port.
        prices: A price file with the hourly rate of a reviewer, in a table [review].
        collect: Files of votes. They are stored and counted, and no page is served.
        open_browser: Opens the page in a browser.

    Returns:
        The first run, with the results in its summary.

    Raises:
        StoreError: A run has no clips.
        LibraryError: The extra "review" is not installed.
        UsageError: There is nothing to ask, or a file contains no votes.

    Example:
        >>> import vbench_lite as vb
        >>> vb.review("results/mine").summary.people.votes  # doctest: +SKIP
        120
    """
    import contextlib
    import webbrowser

    from vbench_lite.jobs import reviewing
    from vbench_lite.review.opening import ReviewOrder

    opened = [_opened(each) for each in ([runs] if isinstance(runs, (str, Path, Run)) else runs)]
    if prices is not None:
        reviewing.state_rate(opened[0], Path(prices))
    if collect:
        reviewing.collect_votes(opened[0], [Path(path) for path in collect])
    else:
        order = ReviewOrder(mode, prompt_adherence, limit, seed, warm_up, host, port)
        running = reviewing.start_review(opened, order)
        if open_browser:
            webbrowser.open(running.link)
        with contextlib.suppress(KeyboardInterrupt):
            running.wait(None)
        running.stop()
    reviewing.count_votes(opened[0])
    return Run(opened[0].folder)


def report(
    runs: str | Path | Run | Sequence[str | Path | Run], out: str | Path | None = None, format: str = "html",
    clips: Clips = "auto",
) -> Path:  # fmt: skip
    """Writes the report of one or more runs: `vbench report` from Python.

    Args:
        runs: Scored runs, or generators of them.
        out: The output file. None: reports/<name> with the file extension of the format.
        format: "html", "markdown", "json", "csv", "model-card", "metrics", "vbench", "run-card" or "plots".
        clips: For the page: "embed", "folder", "none", or "auto", which embeds what fits into 30 MB.

    Returns:
        The file or folder that was written.

    Raises:
        StoreError: A run is missing or not scored, or the report cannot be written.

    Example:
        >>> import vbench_lite as vb
        >>> vb.report("results/baseline", "page.md", format="markdown").name  # doctest: +SKIP
        'page.md'
    """
    from vbench_lite.report import write_report

    chosen = [runs] if isinstance(runs, (str, Path, Run)) else runs
    return write_report([_opened(each) for each in chosen], None if out is None else Path(out), format, clips)


def _opened(run: str | Path | Run) -> Run:
    return run if isinstance(run, Run) else open_run(run)
