"""Files are not read again while the disk says that they are the ones that were read, and no longer."""

from pathlib import Path

import pytest

from statek.spec.reading.known_files import LONGEST, SETTLED, KnownFiles, identity_of

NOW_US = 1_700_000_000_000_000


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.us = NOW_US

    def now_us(self) -> int:
        """Microseconds since 1970."""
        return self.us

    def monotonic(self) -> float:
        """Seconds."""
        return self.us / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps."""


class Disk:
    """One file, as a disk tells of it, and how often it was read."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.known: KnownFiles[list[bytes]] = KnownFiles(self.clock)
        self.identity = (1, 2, 0o100000, 3, NOW_US * 1000 - 2 * SETTLED, NOW_US * 1000 - 2 * SETTLED)
        self.raw, self.reads = b"abc", 0

    def read(self) -> bytes:
        """The bytes."""
        self.reads += 1
        return self.raw

    def look(self) -> list[bytes]:
        """What is made of the file in a run of its own."""
        self.known.begin()
        return self.known.of("file", self.identity, self.read, lambda raw: [raw])


@pytest.fixture
def disk():
    """A file at rest that was read once."""
    disk = Disk()
    disk.look()
    return disk


def test_a_file_at_rest_is_read_once(disk):
    """The very same object, and nothing was fresh."""
    assert disk.look() is disk.look()
    assert (disk.reads, disk.known.fresh) == (1, 0)


@pytest.mark.parametrize("part", range(6))
def test_whatever_the_disk_tells_differently_has_it_read_again(disk, part):
    """Device, inode, kind, size, mtime and ctime, each alone: also a mtime that was put back."""
    identity = list(disk.identity)
    identity[part] -= 1
    disk.identity, disk.raw = tuple(identity), b"abd"
    assert disk.look() == [b"abd"]


@pytest.mark.parametrize("part", [4, 5])
def test_a_file_that_was_written_just_now_is_read_each_time(disk, part):
    """A second edit within one tick of the disk's clock, at the same length, is seen."""
    identity = list(disk.identity)
    identity[part] = NOW_US * 1000 - SETTLED + 1000
    disk.identity = tuple(identity)
    before = disk.look()
    assert disk.look() is before  # read, and found to be the same
    disk.raw = b"xyz"
    assert disk.look() == [b"xyz"]
    assert disk.reads == 4


def test_once_it_is_at_rest_it_is_read_for_the_last_time(disk):
    """The clock goes on, the file does not."""
    disk.identity = (*disk.identity[:5], NOW_US * 1000)
    disk.look()
    disk.clock.us += 3_000_000
    disk.look()
    disk.look()
    assert disk.reads == 3


def test_no_file_is_believed_for_ever(disk):
    """What a disk does not tell is late and not lost."""
    disk.raw = b"new"
    disk.clock.us += int(LONGEST * 1_000_000)
    assert disk.look() == [b"abc"]
    disk.clock.us += 1
    assert disk.look() == [b"new"]


def test_a_run_forgets_files_that_the_one_before_did_not_ask_for(disk):
    """What is kept does not grow with the number of files there ever were."""
    disk.known.begin()
    disk.look()
    assert disk.reads == 2


def test_a_real_file_is_another_one_when_it_is_replaced(tmp_path: Path):
    """By a file of the same length and times."""
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("one")
    other.write_text("two")
    before = identity_of(file.stat())
    other.replace(file)
    assert identity_of(file.stat()) != before
