"""The disk is full, for a download or for the database: a small file system of the test's own."""

from __future__ import annotations

import gzip
import os
import subprocess

import pytest
from cli_process import left_behind, wait_until, wikiq
from fleet import empty_broker, open_fleet  # noqa: F401 a fixture

from cli.demosite.faults import Fault, OtherVersion, Stall
from models.hour import hours_of

pytestmark = pytest.mark.timeout(120)

ROOM = 300_000


@pytest.fixture
def disk(tmp_path):
    """A disk of a few megabytes, where the data of a fleet lie."""
    directory = tmp_path / "data"
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", directory], check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


def fill(disk, *, leave=0):
    """Leave so many bytes of room, and not one byte where none are to be left."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            file.truncate(file.tell() - leave)


def too_large(fleet, hour):
    """The hour's file as it is, with lines of a wiki that nobody asks for behind it that hardly get smaller packed."""
    text = gzip.decompress((fleet.site.root / hour.path).read_bytes())
    lines = b"".join(b"zz %s 1 0\n" % os.urandom(20).hex().encode() for _ in range(ROOM // 20))
    content = gzip.compress(text + lines, 1)
    assert len(content) > ROOM
    return Fault(hour.path, OtherVersion(content))


def test_no_room_for_a_download(disk, tmp_path, site, demo, broker_url):
    """An hour that the disk has no room for fails with the reason, the others are counted; ``wikiq resume`` gets it."""
    database = f"sqlite:///{tmp_path}/elsewhere.sqlite"
    with open_fleet(tmp_path, site, demo, broker_url, database) as fleet:
        large = hours_of(fleet.day)[3]
        fleet.site.misbehave(too_large(fleet, large))
        worker = fleet.start()
        fill(disk, leave=ROOM)
        done = wikiq(fleet.environment, "enqueue", str(fleet.day), "--wait")
        assert done.code == 1
        reason = "03:00 failed: The download could not be written: No space left on device."
        assert reason in done.stderr
        told = wikiq(fleet.environment, "status")
        assert "23/24" in told.stdout
        assert reason in told.stdout
        assert left_behind(disk) == []
        (disk / "filler").unlink()
        fleet.resume()
        fleet.check(interrupted=1)
        assert worker.poll() is None


def test_no_room_in_the_database(disk, tmp_path, site, demo, broker_url):
    """What the database has no room for is not counted, and commands say so in a sentence; then resume completes it."""
    with open_fleet(tmp_path, site, demo, broker_url) as fleet:
        late = hours_of(fleet.day)[8]
        fleet.site.misbehave(Fault(late.path, Stall(2), times=1))
        worker = fleet.start("-c", "1", "-Q", "count,rank")
        waiting = fleet.begin("enqueue", str(fleet.day), "--wait")
        wait_until(lambda: len(fleet.counted()) == 8)
        fill(disk)
        _, stderr = waiting.communicate(timeout=60)
        assert (waiting.returncode, b"Traceback" in stderr) == (1, False)
        assert b"database or disk is full" in stderr
        for command in (["resume"], ["enqueue", str(fleet.day)]):
            done = wikiq(fleet.environment, *command)
            assert (done.code, "Traceback" in done.stderr) == (1, False), done.stderr
            assert "free some space" in done.stderr
        wait_until(lambda: fleet.queued() == 1 and fleet.in_flight() == 0)
        assert len(fleet.counted()) == 8
        (disk / "filler").unlink()
        fleet.start()
        fleet.resume()
        fleet.check(interrupted=16)
        assert worker.poll() is None
