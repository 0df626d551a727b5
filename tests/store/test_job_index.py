"""Jobs by their ids: blocks, newest jobs, collisions, transactions that were rolled back."""

from collections.abc import Callable
from pathlib import Path

import dbzero as db0
import pytest

from statek.store.job_index import BLOCK, JobIndex, digest_key


@db0.memo(id="tests/Indexed")
class Indexed:
    def __init__(self, id: str) -> None:  # noqa: A002 - as on a job
        self.id = id


@db0.memo(id="tests/IndexOwner", singleton=True)
class Owner:
    def __init__(self) -> None:
        self.jobs: list[Indexed] = []
        self.blocks: list[bytes] = []


def open_index(key_of: Callable[[str], int] = digest_key) -> JobIndex:
    """The index as a start makes it."""
    return JobIndex(Owner().jobs, Owner().blocks, key_of)


def fill(index: JobIndex, count: int) -> None:
    """Add jobs named 0, 1, 2 ..."""
    with db0.atomic():
        for number in range(count):
            index.add(Indexed(str(number)), str(number))


@pytest.mark.parametrize("count", [1, BLOCK - 1, BLOCK, 2 * BLOCK + 3])
def test_jobs_are_found_again_after_a_start(store: Path, count: int) -> None:
    """Each job is found by its id, in the process that made it and by an index made anew."""
    index = open_index()
    fill(index, count)
    wanted = [str(number) for number in range(count)]
    assert [index.find(name).id for name in wanted] == wanted
    assert [open_index().find(name).id for name in wanted] == wanted
    assert len(Owner().blocks) == count // BLOCK


def test_an_unknown_id_finds_nothing(store: Path) -> None:
    """An id that no job has finds nothing."""
    fill(open_index(), 3)
    assert open_index().find("3") is None


def test_ids_with_one_key_are_told_apart(store: Path) -> None:
    """Ids whose keys are equal find their own jobs, also after a start."""
    index = open_index(lambda _id: 7)
    fill(index, 3)
    assert [index.find(str(n)).id for n in range(3)] == ["0", "1", "2"]
    assert [open_index(lambda _id: 7).find(str(n)).id for n in range(3)] == ["0", "1", "2"]


def test_a_job_that_was_rolled_back_is_not_found(store: Path) -> None:
    """What a transaction took back is gone, its slot goes to the next job, and its id can be used again."""
    index = open_index()
    fill(index, 2)

    def fail() -> None:
        with db0.atomic():
            index.add(Indexed("lost"), "lost")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert index.find("lost") is None
    index.add(Indexed("next"), "next")
    index.add(Indexed("lost"), "lost")
    assert [job.id for job in Owner().jobs] == ["0", "1", "next", "lost"]
    assert (index.find("lost").id, open_index().find("next").id) == ("lost", "next")


def test_a_block_that_was_rolled_back_is_written_again(store: Path) -> None:
    """A block filled by a transaction that failed holds the keys of the jobs that came instead."""
    index = open_index()
    fill(index, BLOCK - 1)

    def fail() -> None:
        with db0.atomic():
            index.add(Indexed("lost"), "lost")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    index.add(Indexed("kept"), "kept")
    assert open_index().find("kept").id == "kept"
    assert len(Owner().blocks) == 1


def test_keys_are_a_stored_format() -> None:
    """The key of an id never changes: blocks written before are read with it."""
    assert digest_key("job-1") == 136856926666863979
