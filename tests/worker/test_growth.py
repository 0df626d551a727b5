"""Growth, measured: samples are few, a store at rest adds none, and a day's growth is told from them."""

from pathlib import Path

import pytest

from statek.ledger.file import LedgerFile
from statek.testing import FakeClock
from statek.worker import places
from statek.worker.growth import Measuring, Sample, growth, per_day, read_samples

NOW = 1_700_000_000


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock(NOW * 1_000_000)


@pytest.fixture
def measuring(store: Path, ledger: LedgerFile, clock: FakeClock) -> Measuring:
    """Measuring a store of 1,000 bytes, 400 of which live."""
    places.store_file(store).write_bytes(bytes(1_000))
    return Measuring(places.store_file(store), ledger, clock, lambda: 400)


def grow(store: Path, size: int) -> None:
    """Let the store's file have that size."""
    places.store_file(store).write_bytes(bytes(size))


def test_a_sample_needs_time_and_growth(
    store: Path, ledger: LedgerFile, clock: FakeClock, measuring: Measuring
) -> None:
    """The first is taken at once; then one in ten minutes, and only of a store that has changed."""
    assert measuring.sample()
    grow(store, 2_000)
    assert not measuring.sample()
    clock.advance(600)
    assert measuring.sample()
    clock.advance(600)
    assert not measuring.sample()
    assert [sample.store for sample in read_samples(ledger)] == [1_000, 2_000]


def test_growth_in_a_day_leaves_out_what_a_compaction_took() -> None:
    """Two steps of growth around a compaction count, the step down does not."""
    stores = ((0, 1_000, 10), (43_200, 5_000, 30), (43_300, 900, 30), (86_400, 1_900, 40))
    found = [Sample(at, store, ledger, 0) for at, store, ledger in stores]
    assert per_day(found) == 5_030
    assert per_day(found[:1]) is None
    assert per_day([]) is None


def test_status_knows_sizes_growth_and_what_lives(
    store: Path, ledger: LedgerFile, clock: FakeClock, measuring: Measuring
) -> None:
    """Without a worker too: sizes of now, growth since the samples, the last estimate."""
    measuring.sample()
    grow(store, 4_000)
    found = growth(places.store_file(store), ledger, NOW + 3_600)
    assert (found.store, found.live, found.given_back) == (4_000, 400, 3_600)
    assert found.per_day is not None
    assert found.per_day >= 24 * 3_000


def test_a_short_run_leaves_its_estimate(store: Path, ledger: LedgerFile, measuring: Measuring) -> None:
    """A worker that ended before the next sample tells what lives in the store then, not what did at its start."""
    measuring.sample()
    grow(store, 4_000)
    Measuring(places.store_file(store), ledger, FakeClock(NOW * 1_000_000), lambda: 3_000).end()
    assert [(sample.store, sample.live) for sample in read_samples(ledger)] == [(1_000, 3_000)]
