"""Keeps InfinityStar loaded and answers vbench-lite's lines of JSON. Runs in a clone of its repository.

The repository has no command that takes a prompt: its tools/infer_video_720p.py holds the prompt and the
checkpoints' folder in its last lines. This calls that script's own functions with the settings of those lines, as
read in November 2026 in two public copies of the repository. It was not run by this project.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.getcwd())

SETTINGS = {
    "pn": "0.90M", "fps": 16, "video_frames": 81, "checkpoint_type": "torch_shard", "model_type": "infinity_qwen8b",
    "text_channels": 2048, "dynamic_scale_schedule": "infinity_elegant_clip20frames_v2", "bf16": 1, "use_apg": 1,
    "use_cfg": 0, "cfg": 34, "tau_image": 1, "tau_video": 0.4, "apg_norm_threshold": 0.05,
    "image_scale_repetition": "[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]",
    "video_scale_repetition": "[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 1, 1]", "append_duration2caption": 1,
    "use_two_stage_lfq": 1, "detail_scale_min_tokens": 750, "semantic_scales": 12, "max_repeat_times": 10000,
    "enable_rewriter": 0,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoints", required=True, help="the folder of the downloaded weights")
    folder = parser.parse_args().checkpoints

    from infinity.utils.arg_util import Args
    from tools import infer_video_720p as script

    args = Args()
    for name, value in SETTINGS.items():
        setattr(args, name, value)
    args.model_path = os.path.join(folder, "infinitystar_8b_720p_weights")
    args.vae_path = os.path.join(folder, "infinitystar_videovae.pth")
    args.text_encoder_ckpt = os.path.join(folder, "text_encoder/flan-t5-xl-official/")
    pipe = script.InferencePipe(args)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            asked = {"prompt": request["prompt"], "seed": request["seed"], "image_path": None}
            made = script.perform_inference(pipe, asked, args)
            script.save_video(made["output"], fps=args.fps, save_filepath=request["out"])
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
