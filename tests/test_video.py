"""Clips written and read: the same frames give the same file, and hostile files give a reason."""

from __future__ import annotations

import os
import subprocess
import sys

DIGESTS = """
import hashlib
import numpy as np
from vbench_lite.video import encode_mp4, read_clip
rng = np.random.default_rng(0)
for height, width in ((64, 64), (50, 66), (320, 480)):
    block = np.kron(rng.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3)), np.ones((16, 16, 1)))[:height, :width]
    frames = [np.roll(block, 3 * t, 1) + rng.integers(-9, 10, block.shape) for t in range(12)]
    file = encode_mp4(np.clip(frames, 0, 255).astype(np.uint8), 8)
    print(hashlib.sha256(file).hexdigest(), hashlib.sha256(read_clip(file)[0].tobytes()).hexdigest())
"""


def test_neither_file_nor_pixels_depend_on_what_lay_in_memory_before():
    """glibc fills fresh memory with a byte of our choice; x264's macroblock tree gave another file for each."""
    found = set()
    for fill in ("0", "1", "85"):
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS], capture_output=True, text=True, check=True,
            env={**os.environ, "MALLOC_PERTURB_": fill},
        )
        found.add(done.stdout)
    assert len(found) == 1
