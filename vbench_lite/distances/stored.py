"""The file features/<generator>.npz: the inputs of set metrics. With it, the gate needs neither clips nor networks.

    generated, reference                    (clips, values) float32: features of the video network, of both sides
    prompts, reference_prompts              prompt of each clip; "" for a real clip without a prompt
    protocol                                the network and its preprocessing of clips
    fvd_corrected.*                         influence of each prompt on that distance (`paired.DistanceInfluence`)

summary.json has the sha256 of the file in notes.features. A clip takes 4 bytes per value and side: 3 kB for I3D's 400.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbench_lite.arrays import read_arrays, read_limited
from vbench_lite.distances.paired import DistanceInfluence
from vbench_lite.errors import StoreError, system_reason

_CORRECTED = "fvd_corrected"


@dataclass(frozen=True)
class SetFeatures:
    """Features of a generator's clips, and of the real clips with which they were compared."""

    generated: NDArray[np.float32]
    reference: NDArray[np.float32]
    prompts: tuple[str, ...]
    reference_prompts: tuple[str, ...]
    protocol: str
    corrected: DistanceInfluence | None = None
    """None if there were too few prompts."""

    def content(self) -> bytes:
        """The content of the file. Equal features give equal bytes."""
        arrays: dict[str, Any] = {
            "generated": np.asarray(self.generated, np.float32), "reference": np.asarray(self.reference, np.float32),
            "prompts": np.array(self.prompts), "reference_prompts": np.array(self.reference_prompts),
            "protocol": np.array(self.protocol),
        }  # fmt: skip
        if self.corrected is not None:
            parts = self.corrected
            arrays[f"{_CORRECTED}.groups"] = np.array(parts.groups)
            arrays[f"{_CORRECTED}.by_group"] = np.asarray(parts.by_group, np.float64)
            arrays[f"{_CORRECTED}.value_and_rest"] = np.array([parts.value, parts.rest])
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()


def sha256(content: bytes) -> str:
    """The digest of the file that summary.json contains."""
    return hashlib.sha256(content).hexdigest()


def read_features(path: Path, digest: str) -> SetFeatures:
    """Read and check a stored file of features.

    Args:
        path: The file.
        digest: The sha256 of the file in summary.json.

    Raises:
        StoreError: The file is missing, broken, or changed, or its arrays need more than 1 GiB.
    """
    again = "Restore it from version control, or score the run again if it still has its clips"
    try:
        content = read_limited(path)
        if sha256(content) != digest:
            raise StoreError(f"{path} is not the file that summary.json names: its sha256 differs. {again}")
        found = read_arrays(content)
        corrected = None
        if f"{_CORRECTED}.groups" in found:
            value, rest = found[f"{_CORRECTED}.value_and_rest"].tolist()
            groups = tuple(found[f"{_CORRECTED}.groups"].tolist())
            corrected = DistanceInfluence(value, groups, found[f"{_CORRECTED}.by_group"], rest)
        return SetFeatures(
            found["generated"], found["reference"], tuple(found["prompts"].tolist()),
            tuple(found["reference_prompts"].tolist()), str(found["protocol"]), corrected,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read: {system_reason(error)}. {again}") from None
