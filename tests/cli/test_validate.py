"""`statek validate`: problems with their place."""

from pathlib import Path

from tests.cli.conftest import Statek, break_agent, want_later


def test_the_token_is_underlined(statek: Statek, project: Path) -> None:
    """Code, place, line, carets under the token, the nearest name beside them; on stderr."""
    break_agent(project)

    done = statek("validate", cwd=project)

    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[:5] == [
        "error[STK301]: unknown input 'nmae'",
        "  --> agents/greeter.md:13:48",
        "   |",
        "13 | You greet people. This one is called {{ inputs.nmae }}.",
        "   |                                                ^^^^ did you mean 'inputs.name'?",
    ]


def test_the_document_has_the_documented_shape(statek: Statek, project: Path) -> None:
    """`ok` and `diagnostics`, each with range and object."""
    break_agent(project)

    found = statek("validate", "-o", "json", cwd=project).document("Validation")

    assert list(found) == ["formatVersion", "kind", "ok", "diagnostics"]
    assert (found["ok"], found["diagnostics"][0]["code"]) == (False, "STK301")
    assert found["diagnostics"][0]["object"] == "Agent/greeter"


def test_compact_is_a_line_for_each_problem(statek: Statek, project: Path) -> None:
    """As editors read it, on stdout."""
    break_agent(project)

    done = statek("validate", "-o", "compact", cwd=project)

    assert len(done.out.splitlines()) == 1
    assert done.out.startswith("agents/greeter.md:")
    assert ": error[STK301]: unknown input 'nmae'" in done.out


def test_what_is_not_run_yet_is_one_note(statek: Statek, project: Path) -> None:
    """Files that this build checks and cannot run are valid: exit code 0, and a note on stderr that names them."""
    want_later(project)

    done = statek("validate", cwd=project)

    assert (done.code, done.out[:6]) == (0, "valid:")
    note = "note: checked, but not supported by this build yet, so not to be applied"
    assert done.err == f"{note}: field 'rollout' (agents/greeter.md:2)\n"


def test_what_is_not_run_yet_is_no_diagnostic(statek: Statek, project: Path) -> None:
    """The JSON document has none of it, and nothing is written beside it."""
    want_later(project)

    done = statek("validate", "-o", "json", cwd=project)

    assert (done.code, done.err) == (0, "")
    assert done.document("Validation")["diagnostics"] == []


def test_good_files_say_so_on_stdout(statek: Statek, project: Path) -> None:
    """And nothing on stderr."""
    done = statek("validate", cwd=project)

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("valid: 7 objects")


def test_only_problems_under_the_paths_count(statek: Statek, project: Path) -> None:
    """Those of other files are counted, no more."""
    break_agent(project)

    done = statek("validate", "queues", cwd=project)

    assert done.code == 0
    assert "1 more outside" in done.err


def test_the_same_files_give_the_same_bytes(statek: Statek, project: Path) -> None:
    """Order is by file, line, column and code."""
    break_agent(project)
    (project / "queues/guests.yaml").write_text("kind: Queue\n")

    first, second = (statek("validate", "-o", "json", cwd=project).out for _ in range(2))

    assert first == second


def test_a_terminal_is_not_steered_by_a_file(statek: Statek, project: Path) -> None:
    """Control characters of a file never reach the output."""
    path = project / "agents/greeter.md"
    path.write_text(path.read_text().replace("model: writer", 'model: "wr\\e[31miter"'))

    done = statek("validate", cwd=project)

    assert done.code == 1
    assert "\x1b" not in done.out + done.err


def test_settings_with_an_error_are_shown_with_their_line(statek: Statek, project: Path) -> None:
    """Problems of pyproject.toml come the same way."""
    (project / "pyproject.toml").write_text("[tool.statek]\nrots = ['agents']\n")

    done = statek("validate", cwd=project)

    assert done.code == 1
    assert "2 | rots = ['agents']\n  | ^^^^ did you mean 'roots'?" in done.err


def test_a_missing_path_is_wrong_usage(statek: Statek, project: Path) -> None:
    """Exit code 2."""
    assert statek("validate", "nope", cwd=project).code == 2
