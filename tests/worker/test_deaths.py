"""What a death means."""

from statek.worker.deaths import GIVE_UP_AFTER, Deaths, Pulse


def test_the_second_death_at_one_place_poisons_it() -> None:
    """A step is blamed when it has killed two children, not one."""
    deaths = Deaths()
    verdicts = [deaths.note(at, ("j", 1, 2), at) for at in (1, 2)]
    assert [verdict.poisoned for verdict in verdicts] == [None, ("j", 1, 2)]


def test_deaths_at_different_places_poison_nothing() -> None:
    """Each step has its own count."""
    deaths = Deaths()
    verdicts = [deaths.note(at, ("j", 1, at), at) for at in range(4)]
    assert {verdict.poisoned for verdict in verdicts} == {None}


def test_deaths_without_progress_end_the_attempts() -> None:
    """The fifth death within a minute without progress is the last."""
    deaths = Deaths()
    assert [deaths.note(float(at), None, 7).give_up for at in range(GIVE_UP_AFTER)] == [False] * 4 + [True]


def test_deaths_with_progress_go_on_for_ever() -> None:
    """A child that gets on is started again, however often it dies."""
    deaths = Deaths()
    assert not any(deaths.note(float(at), None, at).give_up for at in range(50))


def test_deaths_long_ago_do_not_count() -> None:
    """Only the last minute counts."""
    deaths = Deaths()
    assert not any(deaths.note(at * 20.0, None, 7).give_up for at in range(10))


def test_the_delay_grows_without_progress() -> None:
    """Each death without progress doubles the wait; progress makes it short again."""
    deaths = Deaths()
    delays = [deaths.note(float(at), None, seq).delay for at, seq in enumerate([7, 7, 7, 8])]
    assert delays == [0.1, 0.2, 0.4, 0.1]


def test_silence_is_counted_from_the_last_sign_of_life() -> None:
    """A new beat starts the count anew."""
    pulse = Pulse(0, 0.0)
    seen = [pulse.look(at, beat) for at, beat in ((0.5, 0), (1.0, 0), (1.5, 9), (2.0, 9))]
    assert seen == [0.5, 1.0, 0.0, 0.5]


def test_a_supervisor_that_was_stopped_has_heard_no_silence() -> None:
    """A gap between two looks counts for one second at most: the supervisor itself slept."""
    pulse = Pulse(0, 0.0)
    assert pulse.look(3600.0, 0) == 1.0
