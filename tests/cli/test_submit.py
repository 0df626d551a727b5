"""`statek submit`, `push`, `cancel` and `show` without a worker: they go to the ledger's file."""

from pathlib import Path

import pytest

from tests.cli.conftest import Statek


def test_a_submission_prints_the_id_of_its_job(statek: Statek, applied: Path) -> None:
    """On stdout and nothing else there."""
    done = statek("submit", "greeter", "name=Ada", "--key", "name", cwd=applied)

    assert (done.code, done.out) == (0, "greeter/Ada\n")


def test_the_same_key_is_the_same_job(statek: Statek, applied: Path) -> None:
    """The second time nothing is new."""
    statek("submit", "greeter", "name=Ada", "--key", "name", cwd=applied)

    found = statek("submit", "greeter", "name=Ada", "--key", "name", "-o", "json", cwd=applied).document("Submitted")

    assert (found["new"], found["known"], found["ids"]) == (0, 1, ["greeter/Ada"])


def test_a_file_of_items_is_counted(statek: Statek, applied: Path) -> None:
    """Every line is an item."""
    done = statek("submit", "--queue", "guests", "--from", "guests.jsonl", cwd=applied)

    assert done.out == "3 new, 0 already there\n"


def test_inputs_come_from_stdin_too(statek: Statek, applied: Path) -> None:
    """`-` is stdin."""
    done = statek("submit", "greeter", "--json", "-", "--key", "name", cwd=applied, typed='{"name": "Bo"}')

    assert done.out == "greeter/Bo\n"


@pytest.mark.parametrize(
    ("lines", "place"), [('"a"\n7\n', "items.jsonl:2: name:"), ('"a"\n\n{\n', "items.jsonl:3: not JSON"),
                         ('"a"\nNaN\n', "items.jsonl:2: not JSON"), ("", "items.jsonl has no lines"),
                         ("[" * 100_000, "items.jsonl:1: not JSON")],
)  # fmt: skip
def test_one_bad_line_keeps_all_out(statek: Statek, applied: Path, lines: str, place: str) -> None:
    """Exit code 1 with the line; nothing is written."""
    (applied / "items.jsonl").write_text(lines)

    done = statek("submit", "--queue", "guests", "--from", "items.jsonl", cwd=applied)

    assert done.code == 1
    assert place in done.err
    assert statek("status", "-o", "json", cwd=applied).document("Status")["queued"] == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [(["greter", "name=Ada"], "did you mean 'greeter'?"), (["--queue", "gests", "x=1"], "did you mean 'guests'?"),
     (["greeter", "nmae=Ada"], "did you mean 'name'?"), (["greeter", "Ada"], "key=value"),
     (["greeter"], "name: required text is missing")],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_the_nearest_name(
    statek: Statek, applied: Path, words: list[str], message: str
) -> None:
    """Exit code 1."""
    done = statek("submit", *words, cwd=applied)

    assert done.code == 1
    assert message in done.err


@pytest.mark.parametrize("words", [[], ["name=Ada"], ["greeter", "name=A", "--json", "f"]])
def test_what_cannot_be_meant_is_wrong_usage(statek: Statek, applied: Path, words: list[str]) -> None:
    """Exit code 2."""
    assert statek("submit", *words, cwd=applied).code == 2


def test_a_waiting_job_can_be_shown(statek: Statek, applied: Path) -> None:
    """Its inputs, and that no worker has taken it in."""
    statek("submit", "greeter", "name=Ada", "--key", "name", cwd=applied)

    job = statek("show", "greeter/Ada", "-o", "json", cwd=applied).document("Job")["job"]

    assert (job["inputs"], job["outcome"]) == ({"name": "Ada"}, None)
    assert "inbox" in job["stands"]


def test_a_waiting_job_takes_messages_and_can_be_cancelled(statek: Statek, applied: Path) -> None:
    """Both are acknowledged without a worker."""
    statek("submit", "greeter", "name=Ada", "--key", "name", cwd=applied)

    pushed = statek("push", "greeter/Ada", "hello", "-o", "json", cwd=applied).document("Pushed")
    first, second = (
        statek("cancel", "greeter/Ada", "-o", "json", cwd=applied).document("Cancelled")["asked"] for _ in range(2)
    )

    assert (pushed["job"], first, second) == ("greeter/Ada", True, False)
