"""`statek validate` in the forms that other programs read: SARIF, GitHub annotations, a pre-commit hook."""

import json
import re
import shlex
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from tests.cli.conftest import Statek, break_agent

SOURCE = Path(__file__).parents[2]
SARIF = Draft202012Validator(json.loads(Path(__file__).with_name("sarif-part.schema.json").read_text()))


def test_sarif_names_rule_place_and_fix(statek: Statek, project: Path) -> None:
    """A problem is a result at its token, with the rule it breaks, the places it is about, and its replacement."""
    break_agent(project)

    done = statek("validate", "-o", "sarif", cwd=project)

    log = json.loads(done.out)
    assert list(SARIF.iter_errors(log)) == []
    [run] = log["runs"]
    [result] = run["results"]
    assert (done.code, result["ruleId"], result["level"]) == (1, "STK301", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["name"] == "unknown-input"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "agents/greeter.md", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 13, "startColumn": 48, "endLine": 13, "endColumn": 52}
    [change] = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "name"}


def test_sarif_of_good_files_has_no_results(statek: Statek, project: Path) -> None:
    """It is a whole log all the same: a service that reads it closes what was open."""
    done = statek("validate", "-o", "sarif", cwd=project)

    log = json.loads(done.out)
    assert (done.code, log["runs"][0]["results"]) == (0, [])
    assert list(SARIF.iter_errors(log)) == []


def test_a_fingerprint_outlives_lines_above_it(statek: Statek, project: Path) -> None:
    """Where only lines were added before a problem, it is the same problem."""
    break_agent(project)
    file = project / "agents/greeter.md"
    found = []
    for text in (file.read_text(), file.read_text().replace("You greet", "\n\nYou greet")):
        file.write_text(text)
        [result] = json.loads(statek("validate", "-o", "sarif", cwd=project).out)["runs"][0]["results"]
        found.append((result["locations"][0]["physicalLocation"]["region"]["startLine"], result["partialFingerprints"]))
    assert (found[0][0], found[1][0]) == (13, 15)
    assert found[0][1] == found[1][1]


def test_annotations_stand_beside_the_file_of_the_checkout(statek: Statek, project: Path) -> None:
    """One line a problem, named from where the command runs, with what GitHub reads as its own marks escaped."""
    break_agent(project)

    done = statek("validate", project.name, "-o", "github", cwd=project.parent)

    assert done.code == 1
    [line] = done.out.splitlines()
    place = f"file={project.name}/agents/greeter.md,line=13,endLine=13,col=48,endColumn=52"
    assert line == f"::error {place},title=STK301 unknown-input::unknown input 'nmae'; did you mean 'inputs.name'?"


def test_an_annotation_takes_one_line_whatever_it_says(statek: Statek, project: Path) -> None:
    """Line ends, percent signs and colons of names do not end the line or its facts."""
    (project / "agents" / "50%,a:b.yaml").write_text("a: [")

    done = statek("validate", "-o", "github", cwd=project)

    [line] = done.out.splitlines()
    assert line.startswith("::error file=agents/50%25%2Ca%3Ab.yaml,line=1,")


def test_the_same_files_give_the_same_bytes(statek: Statek, project: Path) -> None:
    """In every form, twice."""
    break_agent(project)
    for form in ("json", "compact", "sarif", "github"):
        assert len({statek("validate", "-o", form, cwd=project).out for _ in range(2)}) == 1


def test_the_hooks_run_what_there_is_on_the_files_that_matter(statek: Statek, project: Path) -> None:
    """Each hook's command works in a project, and its pattern fits the project's files and not others."""
    hooks = yaml.safe_load((SOURCE / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["statek-validate", "statek-fmt"]
    for hook in hooks:
        name, *words = shlex.split(hook["entry"])
        done = statek(*words, cwd=project)
        assert (name, hook["language"], hook["pass_filenames"], done.code) == ("statek", "python", False, 0)
        assert re.search(hook["files"], "agents/greeter.md")
        assert re.search(hook["files"], "deep/queues/a.yaml")
        assert not re.search(hook["files"], "src/agents.py")
