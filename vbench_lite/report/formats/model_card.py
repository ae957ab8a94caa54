"""The `model-index` block of a Hugging Face model card, one per generator. Put one at the top of a README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vbench_lite.report import glossary
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult
from vbench_lite.report.output import Output

if TYPE_CHECKING:
    from huggingface_hub import EvalResult


def write(report: Report, output: Output) -> None:
    output.text(render(report))


def render(report: Report) -> str:
    """One block per generator of the report's first suite. A metric without a score is left out."""
    from huggingface_hub import ModelCardData

    blocks = []
    for entry in report.main.entries:
        data = ModelCardData(
            pipeline_tag="text-to-video", model_name=entry.name, eval_results=_results(report.main, entry)
        )
        blocks.append(f"---\n{data.to_yaml()}\n---\n")
    return "\n".join(blocks)


def _results(scenario: SuiteResult, entry: GeneratorResult) -> list[EvalResult]:
    from huggingface_hub import EvalResult

    values = {name: entry.score(name).value for name in scenario.metrics} | {"usable_share": entry.usable_share}
    return [
        EvalResult(
            task_type="text-to-video", dataset_name=f"vbench-lite {scenario.title}",
            dataset_type=f"vbench-lite/{scenario.suite.name}", dataset_revision=scenario.suite.digest[:12],
            metric_type=name, metric_value=float(f"{value:.6g}"), metric_name=_title(scenario, name),
        )
        for name, value in values.items()
        if value is not None
    ]  # fmt: skip


def _title(scenario: SuiteResult, name: str) -> str:
    info = scenario.metrics.get(name)
    title = glossary.title("usable" if name == "usable_share" else name, scenario.metrics)
    backbone = f", {info.backbone}" if info and info.backbone else ""
    return f"{title} (vbench-lite, version {info.version if info else 1}{backbone})"
