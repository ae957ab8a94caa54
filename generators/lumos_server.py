"""Keeps Lumos-1 loaded and answers vbench-lite's lines of JSON. Runs in its repository's lumos-1/lumos-1 folder.

The repository's inference_t2v.py takes prompts from a JSON file and the model from lines to comment in and out.
This calls its own solver and its own function for one video with the settings of those lines (commit 5a4db17, read
in November 2026). It was not run by this project.
"""

import argparse
import json
import os
import random
import sys

sys.path.insert(0, os.getcwd())

SIZES = {256: 352, 384: 528}
"""Height of a clip -> the repository's name of its target size."""
TOKENIZER = "Cosmos-Tokenizer-DV4x8x8"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="such as ckpts/3B/stage-2-joint-384p")
    parser.add_argument("--height", type=int, choices=list(SIZES), default=384)
    parser.add_argument("--fps", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=15)
    parser.add_argument("--mask-history-ratio", type=float, default=0.7)
    args = parser.parse_args()

    import inference_t2v as script
    import numpy
    import torch

    solver = script.FlexARVidInferenceSolver(
        model_path=args.model, precision="bf16", target_fps=args.fps, duration=args.seconds,
        visual_tokenizer=TOKENIZER, target_size=SIZES[args.height],
        vae_st_compress=script.obtain_compression_ratio(TOKENIZER),
    )
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            for seeded in (random.seed, numpy.random.seed, torch.manual_seed):
                seeded(request["seed"] % 2**32)
            folder, name = os.path.split(request["out"])
            script.test_one_video_prediction_vbench(
                request["prompt"], solver, "masked_AR", "t2v", [], folder, None, args.guidance,
                target_size=SIZES[args.height], mask_history_ratio=args.mask_history_ratio, caption_as_name=True,
                caption_file_name=name, duration_placeholder=args.seconds, fps_placeholder=args.fps,
                timesteps=args.steps,
            )
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
