"""Files of arrays are read within a limit, and whatever is broken in one is one kind of error."""

import io
import zipfile

import numpy as np
import pytest

from vbench_lite.arrays import read_arrays, read_limited


def packed(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def with_member(header, name="a.npy"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as members:
        members.writestr(name, header)
    return buffer.getvalue()


def test_arrays_come_back_as_they_were_stored():
    found = read_arrays(packed(a=np.arange(5), b=np.array(["x", "yy"])))
    assert found["a"].tolist() == [0, 1, 2, 3, 4]
    assert found["b"].tolist() == ["x", "yy"]


def test_a_small_file_that_unpacks_to_more_than_the_limit_is_refused():
    content = packed(a=np.zeros(4 * 2**20, np.uint8))
    assert len(content) < 20_000
    with pytest.raises(ValueError, match="more than the 1 MiB allowed"):
        read_arrays(content, most=2**20)


def test_a_header_that_promises_more_than_is_there_is_refused():
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000,), }"
    header = b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little") + text + b"\n"
    with pytest.raises(ValueError, match=r"EOF|not a complete file|too big"):
        read_arrays(with_member(header))


def test_a_member_that_is_no_array_is_refused():
    with pytest.raises(ValueError, match=r'"readme\.txt" is not an array'):
        read_arrays(with_member(b"hello", "readme.txt"))


def test_a_file_larger_than_the_limit_is_not_read(tmp_path):
    path = tmp_path / "large.npz"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)
    with pytest.raises(ValueError, match="larger than 1,024 MiB"):
        read_limited(path)


def test_a_mutated_file_is_read_or_is_a_value_error():
    whole, rng, refused = packed(a=np.arange(50.0), b=np.array(["x", "yy"])), np.random.default_rng(0), 0
    for _ in range(400):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        try:
            read_arrays(bytes(content[: rng.integers(1, 2 * len(content))]))
        except ValueError:
            refused += 1
    assert refused > 300
