"""Reading cron lines."""

import pytest

from statek.spec.checking.cron import CronError, parse_cron


@pytest.mark.parametrize(
    ("line", "minutes", "hours", "weekdays"),
    [
        ("15 6 * * 1-5", {15}, {6}, {1, 2, 3, 4, 5}),
        ("*/20 0-4/2 * * sat-sun", {0, 20, 40}, {0, 2, 4}, {0, 6}),
        ("5/15 22,23 * * 7", {5, 20, 35, 50}, {22, 23}, {0}),
        ("0,30 12 * * Mon,WED", {0, 30}, {12}, {1, 3}),
        ("0 0 * * sun", {0}, {0}, {0}),
        ("0 0 * * 0-0", {0}, {0}, {0}),
    ],
)
def test_the_fields_are_sets_of_numbers(line, minutes, hours, weekdays):
    """Lists, ranges, steps and names in any case; Sunday is 0 and 7."""
    cron = parse_cron(line)
    assert (cron.minutes, cron.hours, cron.weekdays) == (minutes, hours, weekdays)


def test_either_day_holds_when_both_are_bounded():
    """Cron's old rule: day of the month or day of the week, unless one of them is open."""
    assert parse_cron("0 0 1 * mon").either_day
    assert not parse_cron("0 0 */2 * mon").either_day


@pytest.mark.parametrize(
    ("line", "part", "reason"),
    [
        ("60 * * * *", "60", "minute must be 0-59"),
        ("0 24 * * *", "24", "hour must be 0-23"),
        ("0 0 0 * *", "0", "day of the month must be 1-31"),
        ("0 0 * 13 *", "13", "month must be 1-12 or jan-dec"),
        ("0 0 * * monday", "monday", "did you mean 'mon'?"),
        ("0 0 ? * *", "?", "other cron dialects"),
        ("0 0 * * 5#2", "5#2", "other cron dialects"),
        ("0 0 L * *", "L", "other cron dialects"),
        ("1,,2 * * * *", ",", "empty part"),
        (",1 * * * *", ",", "empty part"),
        ("* * * * 1,", ",", "empty part"),
        ("* * * * 1/", "1/", "from 1 to 8"),
        ("-5 * * * *", "-5", "cannot be read"),
        ("*/0 * * * *", "0", "from 1 to 60"),
        ("0 22-2 * * *", "22-2", "write '22-23,0-2'"),
        ("0 0 * * fri-mon", "fri-mon", "write 'fri-6,0-mon'"),
        ("0 0 30 2 *", "30", "does not occur in month 2"),
        ("0 0 31 4,jun *", "31", "does not occur in month 4,jun"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_part(line, part, reason):
    """The offsets are those of the part to blame."""
    with pytest.raises(CronError) as caught:
        parse_cron(line)
    blamed = line[caught.value.start : caught.value.end]
    assert reason in str(caught.value)
    assert blamed == part


@pytest.mark.parametrize("line", ["0 0 29 2 *", "0 0 31 2 fri", "0 0 31 1-2 *"])
def test_a_rare_time_is_a_time(line):
    """A day that comes in some year, month or week is no mistake."""
    parse_cron(line)


@pytest.mark.parametrize(
    ("line", "hint"),
    [("@daily", "write '0 0 * * *'"), ("0 0 6 * * *", "seconds"), ("", "found 0"), ("* * * *", "5 fi")],
)
def test_there_are_five_fields(line, hint):
    """Other numbers of fields are other dialects."""
    with pytest.raises(CronError) as caught:
        parse_cron(line)
    assert hint in str(caught.value)
