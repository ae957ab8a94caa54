"""The server lets in only its own page: host names, origins, tokens, paths, sizes and ranges of bytes."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.review.conftest import ask, call, served
from vbench_lite.errors import StoreError, UsageError
from vbench_lite.review.opening import ReviewOrder, open_review
from vbench_lite.run.view import open_run


@pytest.fixture(scope="module")
def running(stored):
    with served(open_run(stored), mode="pairs", seed=1) as server:
        yield server


def test_other_host_names_and_origins_are_refused(running) -> None:
    assert call(running.link)[0] == 200
    assert call(running.link, Host="evil.example:80")[0] == 400
    assert call(running.link, Host="127.0.0.1.evil.example")[0] == 400
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        assert call(f"{running.link}api/next", {"rater": "a"}, **headers)[0] == 403
    own = {"Origin": running.link.rstrip("/")}
    assert call(f"{running.link}api/next", {"rater": "a"}, **own)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "run.json", "votes/a/b.json", "clip/../run.json", "clip/%2e%2e%2frun.json", "..%2f..%2fetc%2fpasswd",
        "clip/0123456789abcdef0123456789abcdef.mp4", "clip/%2fetc%2fpasswd.mp4", "review.html", "api/next",
    ],
)
def test_nothing_but_the_page_and_its_clips_is_given_out(running, path) -> None:
    assert call(running.link + path)[0] in (404, 405)


@pytest.mark.parametrize(
    "body", [{}, {"rater": "../x"}, {"rater": ""}, {"rater": 5}, [], "x", {"rater": "a" * 41}, {"rater": "a\x00"}]
)
def test_a_bad_request_is_an_error_in_words_and_stores_nothing(running, stored, body) -> None:
    status, content, _ = call(f"{running.link}api/vote", body)
    assert status == 400
    assert json.loads(content)["error"]
    assert not (stored / "votes").exists()


def test_votes_that_answer_nothing_are_refused(running, stored) -> None:
    question = ask(running.link, "next", rater="a")["question"]
    good = {"rater": "a", "id": question["id"], "answers": {"quality": "left"}, "seconds": 1}
    for wrong in ({"id": "nothing"}, {"answers": {}}, {"answers": {"quality": "best"}}, {"answers": {"x": "left"}}):
        assert call(f"{running.link}api/vote", good | wrong)[0] == 400
    assert call(f"{running.link}api/vote", good | {"reasons": ["x" * 20_000]})[0] == 413
    form = {"Content_Type": "text/plain"}
    assert call(f"{running.link}api/vote", good, **form)[0] == 415
    assert not (stored / "votes").exists()


def test_clips_have_opaque_names_equal_sizes_and_ranges(running) -> None:
    clips = ask(running.link, "next", rater="a")["question"]["clips"]
    files = [call(running.link + clip) for clip in clips]
    assert len({len(content) for _, content, _ in files}) == 1
    assert len({content for _, content, _ in files}) == 2
    assert b"tiny" not in b"".join(content for _, content, _ in files)
    status, part, headers = call(running.link + clips[0], Range="bytes=10-19")
    assert (status, part) == (206, files[0][1][10:20])
    assert headers["content-range"].startswith("bytes 10-19/")
    assert call(running.link + clips[0], Range="bytes=99999999-")[0] == 416


def test_the_page_is_safe_by_its_headers(running) -> None:
    _, content, headers = call(running.link)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert b"http://" not in content
    assert b"https://" not in content


def test_a_host_needs_the_token_of_its_link(stored) -> None:
    with served(open_run(stored), host="0.0.0.0") as running:
        base = f"http://127.0.0.1:{running.port}/"
        token = running.link.partition("?token=")[2]
        assert len(token) > 20
        for path in ("", "review.js", "?token=wrong", f"review.js?token={token}"):
            assert call(base + path)[0] == 403
        assert call(f"{base}api/next", {"rater": "a"})[0] == 403
        cookie = {"Cookie": f"vbench_review={token}"}
        assert call(f"{base}?token={token}", **cookie)[0] == 200  # after the redirect
        assert call(f"{base}api/next", {"rater": "a"}, **cookie)[0] == 200
        assert call(base, Host="evil.example", **cookie)[0] == 400


def test_a_port_that_is_taken_is_named(running, stored) -> None:
    with pytest.raises(UsageError, match=r"port \d+.*--port"), served(open_run(stored), port=running.port):
        pass


@pytest.mark.parametrize("host", ["no such host", "host.invalid", "", "[::1]", "203.0.113.9"])
def test_a_host_that_is_not_this_machine_is_named(stored, host) -> None:
    with pytest.raises(UsageError, match=r"machine\. Use --host 0\.0\.0\.0"), served(open_run(stored), host=host):
        pass


def test_a_run_without_clips_says_so(stored, tmp_path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "run.json").write_text((stored / "run.json").read_text())
    with pytest.raises(StoreError, match="has no clips"):
        open_review([open_run(bare)], ReviewOrder())
    with pytest.raises(UsageError, match="--usable"):
        open_review([open_run(f"{stored}:tiny-diffusion")], ReviewOrder(mode="pairs"))


def test_warm_up_answers_are_known_and_told(run) -> None:
    with served(run, mode="pairs", warm_up=True) as running:
        state = ask(running.link, "next", rater="a")
        assert state["question"]["warmUp"]
        state = ask(running.link, "vote", rater="a", id=state["question"]["id"], answers={"quality": "left"})
        assert state["right"] is True
        state = ask(running.link, "vote", rater="a", id=state["question"]["id"], answers={"quality": "left"})
        assert state["right"] is False
        assert not state["question"]["warmUp"]
    stored = [json.loads(Path(path).read_text()) for path in run.path.glob("votes/a/warm*.json")]
    assert all(vote["warm_up"] for vote in stored)


def obey_interrupts() -> None:
    """A shell's background jobs ignore Ctrl-C, and so do their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_vote_that_was_confirmed_is_lost_when_the_command_ends(run, end) -> None:
    command = [sys.executable, "-m", "vbench_lite", "review", str(run.path), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=obey_interrupts
    ) as server:
        try:
            link = server.stdout.readline().strip()
            asked = []
            for _ in range(3):
                asked.append(ask(link, "next", rater="a")["question"]["id"])
                ask(link, "vote", rater="a", id=asked[-1], answers={"usable": "keep"}, seconds=1)
            server.send_signal(end)
            said, errors = server.communicate(timeout=60)
        finally:
            server.kill()
    assert sorted(path.stem for path in run.path.glob("votes/a/*")) == sorted(asked)
    if end == signal.SIGINT:
        assert (server.returncode, "Counted: 3 votes" in said, errors.count("\n")) == (0, True, 1)
    with served(run, mode="usable") as running:
        assert ask(running.link, "next", rater="a")["question"]["id"] not in asked
