"""Generates the clips of a plan into a run folder. It continues an interrupted run.

The runner checks which clips exist, lets an engine generate the others, and stores each clip as soon as it is finished.
It does not depend on metrics or models.
"""

from __future__ import annotations

import dataclasses
import logging

from vbench_lite.errors import StoreError
from vbench_lite.measuring.devices import Device
from vbench_lite.measuring.rates import cost_with_attempts
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.images import check_images, store_images
from vbench_lite.run.manifest import Manifest, build_manifest
from vbench_lite.run.plan import Plan
from vbench_lite.run.plan_changes import extended, refuse_other_plan
from vbench_lite.running.generator_run import GeneratorRun, Options, Outcome
from vbench_lite.running.lock import locked

__all__ = ["Options", "Outcome", "run"]

log = logging.getLogger("vbench_lite.running.runner")


def run(plan: Plan, folder: RunFolder, device: Device, options: Options | None = None) -> Outcome:
    """Generate every clip of the plan that does not exist yet.

    Args:
        plan: The plan of the run.
        folder: The run folder. It may contain clips of the same plan.
        device: The device to run on.
        options: All other options.

    Returns:
        The outcome. A generator that cannot run is in `errors`. The other generators have run.

    Raises:
        PlanConflict: The folder contains another plan; nothing was changed.
        FolderLocked: Another process uses the folder.
        StoreError: The folder cannot be written.
        UsageError: The image of a prompt cannot be decoded; nothing was changed.
    """
    options = options or Options()
    check_images(plan.prompts)
    with locked(folder.path, options.shard):
        _prepare(plan, folder, device, options)
        outcome = Outcome()
        parts = [GeneratorRun(plan, folder, device, options, definition, outcome) for definition in plan.definitions]
        for part in parts:
            part.look()
        for part in parts:
            part.run()
        if not folder.exists():
            raise StoreError(f"{folder.path} was removed while the run used it. Start again with the same command.")
        return outcome


def _prepare(plan: Plan, folder: RunFolder, device: Device, options: Options) -> None:
    """Prepare the folder for the clips of this plan."""
    wanted = build_manifest(plan, device, options.prices, folder.name, typed=options.typed)
    if options.fresh:
        folder.clear()
    if folder.exists():
        stored = folder.manifest()
        if any(folder.record_paths()):
            refuse_other_plan(folder.path, stored, wanted)
            _update(folder, stored, wanted)
        else:  # a run without clips may be replaced
            folder.write_manifest(wanted)
    elif (folder.path / "clips").exists():
        raise StoreError(
            f"{folder.path} contains clips but no run.json, so their plan is not known. Choose another folder with "
            "--out DIR, or delete them with --fresh."
        )
    else:
        folder.write_manifest(wanted)
    store_images(folder.path, plan.prompts)
    if options.shard.parts == 1:
        for part in folder.path.glob("clips/*/*/.*.part"):
            part.unlink(missing_ok=True)  # left by a run that was killed while writing


def _update(folder: RunFolder, stored: Manifest, wanted: Manifest) -> None:
    """Extend the stored plan, and update values that do not affect clips: prices, thresholds, backbones, arguments."""
    new = extended(stored, wanted)
    if new != stored:
        folder.write_manifest(new)
    if (stored.prices, stored.plan, stored.suite) != (new.prices, new.plan, new.suite):
        folder.summary_path.unlink(missing_ok=True)
    if stored.prices != new.prices:
        _reprice(folder, new)
    gone = len(set(stored.plan.prompts) - set(new.plan.prompts))
    if gone:
        log.warning("%d prompts are no longer in the suite: their clips stay in the folder but are not scored", gone)
    for name in sorted({*stored.software, *wanted.software}):
        if name != "threads" and stored.software.get(name) != wanted.software.get(name):
            log.warning(
                "this run began with %s %s and continues with %s: their clips may differ",
                name, stored.software.get(name), wanted.software.get(name),
            )
    if stored.device.name != wanted.device.name:
        log.warning(
            "this run began on %s and continues on %s: their times and costs are not comparable",
            stored.device.name, wanted.device.name,
        )


def _reprice(folder: RunFolder, wanted: Manifest) -> None:
    """Apply new prices to the stored clips of this device. Clips of other devices keep their prices."""
    for record in folder.records():
        price = wanted.prices.get(record.generator)
        if price and record.price not in (None, price) and record.device == wanted.device:
            cost = cost_with_attempts(record, price, record.retried_usd)
            folder.write_record(dataclasses.replace(record, price=price, cost_usd=cost))
