"""Keep VideoScore2 loaded and answer the JSON lines of vbench-lite. Run it in the folder of its repository.

The repository's vs2_inference.py scores one clip and exits. This script uses the question and the two functions for
the score of a token from that file (commit e6abe26, read in November 2026). This project has not run it.
"""

import argparse
import ast
import json
import os
import re
import sys
from string import Template

sys.path.insert(0, os.getcwd())

LABELS = {
    "videoscore2_visual_quality": "visual quality:",
    "videoscore2_text_alignment": "text-to-video alignment:",
    "videoscore2_physical_consistency": "physical/common-sense consistency:",
}
FPS = 2.0
TEMPERATURE = 0.7
MOST_TOKENS = 1024


def question_of(script: str) -> Template:
    """The question that the model was trained with: the string in the repository's script that contains the prompt."""
    with open(script, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "$t2v_prompt" in node.value:
            return Template(node.value)
    raise SystemExit(f"{script} has no question with $t2v_prompt: use commit e6abe26 of the repository.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="TIGER-Lab/VideoScore2")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()

    import torch
    import vs2_inference as script
    from qwen_vl_utils import process_vision_info
    from transformers import AutoModelForVision2Seq, AutoProcessor

    question = question_of(script.__file__)
    model = AutoModelForVision2Seq.from_pretrained(args.model, torch_dtype=getattr(torch, args.dtype)).to(args.device)
    processor = AutoProcessor.from_pretrained(args.model)
    tokenizer = processor.tokenizer

    def scores_of(clip: str, prompt: str) -> dict[str, float | None]:
        text = question.substitute(t2v_prompt=prompt)
        content = [{"type": "video", "video": clip, "fps": FPS}, {"type": "text", "text": text}]
        messages = [{"role": "user", "content": content}]
        chat = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        images, videos = process_vision_info(messages)
        inputs = processor(text=[chat], images=images, videos=videos, fps=FPS, padding=True, return_tensors="pt")
        torch.manual_seed(0)
        made = model.generate(
            **inputs.to(args.device), max_new_tokens=MOST_TOKENS, output_scores=True, return_dict_in_generate=True,
            do_sample=True, temperature=TEMPERATURE,
        )
        tokens = made.sequences[0, inputs["input_ids"].shape[1] :].tolist()
        said = tokenizer.decode(tokens, skip_special_tokens=True)
        found = {}
        for name, label in LABELS.items():
            rated = re.search(re.escape(label) + r"\s*(\d)", said, re.IGNORECASE)
            place = script.find_score_token_index_by_prompt(label, tokenizer, tokens)
            found[name] = script.ll_based_soft_score_normed(rated and int(rated[1]), place, made.scores, tokenizer)
        return found

    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"id": asked["id"]}
        try:
            answer["scores"] = scores_of(asked["clip"], asked["prompt"])
            answer["reasons"] = dict.fromkeys(LABELS, "the model's answer has no such rating")
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
