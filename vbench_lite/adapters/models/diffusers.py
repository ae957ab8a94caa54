"""Runs any stock diffusers video pipeline, from a saved folder or a hub id.

`families.toml` describes the differences between pipelines, and `[settings]` of a definition the use of a checkpoint.
Settings of this adapter are the fields of `LoadSettings`. All other settings are arguments of the pipeline's call, such
as `num_inference_steps`, `guidance_scale`, `negative_prompt` or `max_sequence_length`. If a pipeline has a guider,
`guidance_scale` is set in the guider. Requests with an image use the class that starts from an image: that of the
checkpoint, or that of its family with the same weights.
"""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from vbench_lite.adapters.models.families import Family, call_arguments, family_of, has_guider
from vbench_lite.adapters.models.frames import NotAClipError, as_frames, clips_of
from vbench_lite.adapters.models.image_pipelines import IMAGE, image_class, same_weights
from vbench_lite.adapters.models.settings import LoadSettings
from vbench_lite.adapters.models.stages import StageClock
from vbench_lite.adapters.pictures import apart
from vbench_lite.adapters.settings import unknown_setting
from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.generator import Output
from vbench_lite.records import Definition, Request


class DiffusersPipeline:
    """A generator that calls one diffusers pipeline."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.settings, self.call = LoadSettings.of(definition)
        self.pipeline: Any = None
        self.family = Family()
        self.image_class: type[Any] | None = None
        self.image_pipeline: Any = None
        """The pipeline for requests with an image: `pipeline`, or a pipeline of another class with its weights."""
        self.guided = False
        """Whether guidance is not an argument of the call, but set in the pipeline's guider."""
        self.device = torch.device("cpu")

    def load(self, device: str) -> None:
        """Read the checkpoint. A hub id is downloaded by the hub's client; for a folder, nothing is downloaded.

        Raises:
            GeneratorError: The checkpoint cannot be found or read, or makes no video.
            UsageError: The pipeline does not accept a setting.
        """
        self.device = torch.device(device)
        self._check_class(self._pipeline_class())
        self.pipeline = self._read()
        self._place()
        if self.image_class:
            own = isinstance(self.pipeline, self.image_class)
            self.image_pipeline = self.pipeline if own else same_weights(self.pipeline, self.image_class)

    def _pipeline_class(self) -> type[Any]:
        """The class in the checkpoint's index. It is checked before gigabytes are read."""
        import diffusers

        folder = Path(self.definition.model)
        local = folder.is_dir()
        if not local and (not self.definition.model or folder.is_absolute() or self.definition.model.startswith(".")):
            raise GeneratorError(
                f'"{self.definition.name}" has no checkpoint at "{self.definition.model}". Its "model" must be a '
                f"folder beside its TOML or a hub id such as org/name. Save one with pipeline.save_pretrained(folder), "
                f"or change the TOML. Then: vbench list generators"
            )
        try:
            index = diffusers.DiffusionPipeline.load_config(folder if local else self.definition.model, **self._where())
            name = str(index["_class_name"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            advice = "Save one with pipeline.save_pretrained(folder)." if local else self._fetch_advice()
            raise GeneratorError(
                f'"{self.definition.name}": there is no readable model_index.json of a diffusers checkpoint in '
                f"{self.definition.model} ({first_line(error)}). {advice}"
            ) from None
        found: type[Any] | None = getattr(diffusers, name, None)
        if found is None:
            raise GeneratorError(
                f'"{self.definition.name}" is a {name}, which diffusers {diffusers.__version__} does not have. '
                f"Try: pip install -U diffusers"
            )
        return found

    def _where(self) -> dict[str, Any]:
        """Arguments for the place to read from. A folder is never searched on the hub."""
        if Path(self.definition.model).is_dir():
            return {"local_files_only": True}
        return {"revision": self.definition.revision} if self.definition.revision else {}

    def _fetch_advice(self) -> str:
        revision = f" --revision {self.definition.revision}" if self.definition.revision else ""
        return f"Fetch it with: hf download {self.definition.model}{revision}"

    def _check_class(self, pipeline_class: type[Any]) -> None:
        family, accepted = family_of(pipeline_class), call_arguments(pipeline_class)
        self.guided = has_guider(pipeline_class) and "guidance_scale" not in accepted
        if self.guided:
            accepted = accepted | {"guidance_scale"}
        if not family.frames or not accepted & {"prompt", IMAGE}:
            raise GeneratorError(
                f'"{self.definition.name}" is a {pipeline_class.__name__}, which makes no video from a text or image: '
                f"its call has no number of frames."
            )
        self.image_class = image_class(self.definition, pipeline_class, family)
        accepted = accepted | (call_arguments(self.image_class) if self.image_class else set())
        for name in self.call:
            if name not in accepted:
                known = accepted | {f.name for f in fields(LoadSettings)}
                raise unknown_setting(self.definition, pipeline_class.__name__, name, known)
        self.family = family

    def _read(self) -> Any:
        import diffusers

        diffusers.utils.logging.disable_progress_bar()
        logging.getLogger("diffusers.pipelines.pipeline_utils").addFilter(_not_about_types)
        variant = {"variant": self.settings.variant} if self.settings.variant else {}
        dtype = {_dtype_argument(): self._dtypes()}
        try:
            return diffusers.DiffusionPipeline.from_pretrained(
                self.definition.model, use_safetensors=True, **dtype, **variant, **self._where()
            )
        except (OSError, ValueError, ImportError) as error:
            advice = "" if Path(self.definition.model).is_dir() else self._fetch_advice()
            raise GeneratorError(f'"{self.definition.name}" cannot be loaded: {first_line(error)} {advice}') from error

    def _dtypes(self) -> Any:
        """One dtype, or dtypes by component if the autoencoder needs another one."""
        on_cpu = self.device.type == "cpu"
        wanted = self.settings.dtype if self.settings.dtype != "auto" else "float32" if on_cpu else self.family.dtype
        vae: str = self.settings.vae_dtype
        if vae == "auto":
            vae = wanted if on_cpu or self.settings.dtype != "auto" else self.family.vae_dtype or wanted
        if vae == wanted:
            return _dtype(wanted)
        return {"default": _dtype(wanted), "vae": _dtype(vae)}

    def _place(self) -> None:
        pipeline, settings = self.pipeline, self.settings
        pipeline.set_progress_bar_config(disable=True)
        if settings.scheduler:
            pipeline.scheduler = self._scheduler()
        if self.guided and "guidance_scale" in self.call:
            pipeline.guider = pipeline.guider.new(guidance_scale=float(self.call.pop("guidance_scale")))
        for switch in ("tiling", "slicing"):
            if getattr(settings, f"vae_{switch}"):
                getattr(pipeline.vae, f"enable_{switch}")()
        if settings.attention_backend:
            pipeline.transformer.set_attention_backend(settings.attention_backend)
        if settings.offload == "none" or self.device.type == "cpu":
            pipeline.to(self.device)
        elif settings.offload == "model":
            pipeline.enable_model_cpu_offload(device=self.device)
        else:
            pipeline.enable_sequential_cpu_offload(device=self.device)
        if settings.compile:
            denoiser = getattr(pipeline, "transformer", None) or pipeline.unet
            denoiser.compile()

    def _scheduler(self) -> Any:
        import diffusers

        given = self.settings.scheduler
        options = {"class": given} if isinstance(given, str) else dict(given)
        name = options.pop("class", type(self.pipeline.scheduler).__name__)
        found: Any = getattr(diffusers, name, None)
        if not hasattr(found, "from_config"):
            raise UsageError(f'"{self.definition.name}": diffusers has no scheduler "{name}".')
        return found.from_config(self.pipeline.scheduler.config, **options)

    def warm_up(self, requests: Sequence[Request]) -> None:
        """Run two steps at the requested size, so that allocation, kernel selection and compilation happen now."""
        steps = {"num_inference_steps": 2} if "num_inference_steps" in call_arguments(type(self.pipeline)) else {}
        alike = [request for request in requests if (request.image is None) == (requests[0].image is None)]
        self.generate_together(alike if self._driven_by(alike)[1].batch else alike[:1], **steps)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Generate one clip per request. The noise is drawn on the CPU with the seed of each request."""
        return apart(requests, self._generate)

    def _generate(self, requests: Sequence[Request]) -> list[Output]:
        if self._driven_by(requests)[1].batch or len(requests) == 1:
            return self.generate_together(requests)
        return [output for request in requests for output in self.generate_together([request])]

    def _driven_by(self, requests: Sequence[Request]) -> tuple[Any, Family]:
        """The pipeline and family for requests that all have an image, or all have none."""
        if requests[0].image is None:
            return self.pipeline, self.family
        return self.image_pipeline, family_of(type(self.image_pipeline))

    def generate_together(self, requests: Sequence[Request], **extra: Any) -> list[Output]:
        """Generate with one call of the pipeline. `extra` are further arguments of the call."""
        pipeline, _ = self._driven_by(requests)
        return self.run(pipeline, {**self.arguments(requests), **extra}, len(requests))

    def run(self, pipeline: Any, arguments: Mapping[str, Any], asked: int) -> list[Output]:
        """Call a pipeline, time its stages, and return one output per request."""
        clock = StageClock(self.device)
        start = clock.now()
        arguments = dict(arguments)
        with contextlib.ExitStack() as watch:
            watch.enter_context(clock.watching(pipeline))
            if "callback_on_step_end" in call_arguments(type(pipeline)):
                arguments["callback_on_step_end"] = _step_callback(clock)
            else:
                watch.enter_context(clock.counting_scheduler_steps(pipeline.scheduler))
            video = pipeline(**arguments).frames
        stages = dict(clock.seconds)
        stages["other"] = max(0.0, clock.now() - start - sum(stages.values()))
        clips = clips_of(video)
        if len(clips) != asked:
            raise GeneratorError(f'"{self.definition.name}" returned {len(clips)} clips for {asked} requests.')
        return [_output(clip, stages, dict(clock.counts)) for clip in clips]

    def arguments(self, requests: Sequence[Request]) -> dict[str, Any]:
        """The arguments of the pipeline's call for these requests."""
        spec = requests[0].spec
        pipeline, family = self._driven_by(requests)
        arguments: dict[str, Any] = {
            "height": spec.height,
            "width": spec.width,
            family.frames: spec.frames,
            "output_type": family.output,
            **family.call,
            **self.call,
        }
        if family.fps:
            arguments[family.fps] = int(spec.fps) if spec.fps == int(spec.fps) else spec.fps
        arguments["prompt"] = [request.prompt for request in requests]
        negative = arguments.get("negative_prompt")
        if isinstance(negative, str):
            arguments["negative_prompt"] = [negative] * len(requests)
        arguments["generator"] = [torch.Generator("cpu").manual_seed(request.seed) for request in requests]
        pictures = [Image.fromarray(request.image) for request in requests if request.image is not None]
        if pictures:
            arguments[IMAGE] = pictures if len(pictures) > 1 else pictures[0]
        accepted = call_arguments(type(pipeline))
        return {name: value for name, value in arguments.items() if name in accepted}

    def close(self) -> None:
        self.pipeline = self.image_pipeline = None
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _output(clip: Any, stages: Mapping[str, float], counts: Mapping[str, float]) -> Output:
    try:
        return Output(frames=as_frames(clip), stages_s=stages, counts=counts)
    except NotAClipError as error:
        return Output(failure=str(error), stages_s=stages, counts=counts)


def _step_callback(clock: StageClock) -> Any:
    def on_step_end(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        clock.step_ends()
        return tensors

    return on_step_end


def _not_about_types(record: logging.LogRecord) -> bool:
    """False for diffusers' message that a component has another class than annotated, which is intended."""
    return not record.getMessage().startswith("Expected types for ")


def _dtype_argument() -> str:
    """The name of the argument in the installed diffusers: `torch_dtype`, or `dtype` in newer versions."""
    from diffusers.utils import deprecation_utils

    return "dtype" if hasattr(deprecation_utils, "_resolve_dtype") else "torch_dtype"


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise UsageError(f'dtype is "{name}": expected float32, bfloat16 or float16.')
    return found


def first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
