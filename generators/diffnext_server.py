"""Keeps a URSA or NOVA pipeline loaded and answers vbench-lite's lines of JSON. Runs in that project's environment.

Written from the two projects' READMEs and pipelines (URSA at 5f00c37, NOVA in the same package; read in November
2026) and not run by this project.
"""

import argparse
import json
import sys

import torch
from diffnext import pipelines
from diffnext.utils import export_to_video

NEGATIVE = "worst quality, low quality, inconsistent motion, static, still, blurry, jittery, distorted, ugly"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pipeline", choices=["URSAPipeline", "NOVAPipeline"], required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--revision", default=None, help="a commit: the loader runs code that comes with the weights")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--motion", type=float, default=9.0)
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()

    loader = getattr(pipelines, args.pipeline)
    pipeline = loader.from_pretrained(
        args.model, revision=args.revision, torch_dtype=torch.float16, trust_remote_code=True
    ).to(torch.device(args.device))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            call = {"generator": torch.Generator(args.device).manual_seed(request["seed"] % 2**63)}
            if args.steps:
                call["num_inference_steps"] = args.steps
            if args.pipeline == "URSAPipeline":
                call |= {"num_frames": request["frames"], "height": request["height"], "width": request["width"]}
                call |= {"negative_prompt": NEGATIVE, "prompt": f"motion={args.motion}, {request['prompt']}"}
            else:
                call |= {"max_latent_length": (request["frames"] - 1) // 4 + 1, "prompt": request["prompt"]}
            export_to_video(pipeline(**call).frames[0], request["out"], fps=request["fps"])
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
