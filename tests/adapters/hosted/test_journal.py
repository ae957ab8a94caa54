import threading
from pathlib import Path

from vbench_lite.adapters.hosted.journal import Journal


def entries(folder: Path, clips: int) -> list[Path]:
    return [folder / f"clip-{index}" / "0-abc.json" for index in range(clips)]


def test_a_job_belongs_to_the_clip_that_claims_it_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, second = entries(tmp_path, 2)
    assert journal.claim("job-1", first) == ""
    assert journal.claim("job-1", first) == ""
    assert journal.claim("job-1", second) == "clip-0/0"
    assert journal.claim("job-2", second) == ""


def test_a_claim_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, second = entries(tmp_path, 2)
    journal.claim("job-1", first)
    (claim,) = (path for path in tmp_path.rglob("claims/*"))
    text = claim.read_text("utf-8")
    claim.write_text("", "utf-8")
    writer = threading.Timer(0.1, lambda: claim.write_text(text, "utf-8"))
    writer.start()
    assert journal.claim("job-1", second) == "clip-0/0"
    writer.join()


def test_one_of_many_clips_gets_a_job_that_all_claim_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for job in range(20):
        start = threading.Barrier(8)
        owners: list[str] = []

        def claim(path: Path, job: int = job, start: threading.Barrier = start, owners: list[str] = owners) -> None:
            start.wait()
            owners.append(journal.claim(f"job-{job}", path))

        threads = [threading.Thread(target=claim, args=(path,)) for path in entries(tmp_path, 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert owners.count("") == 1
