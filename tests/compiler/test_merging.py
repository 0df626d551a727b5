"""What becomes of merged specs: objects, revisions, environments."""

from pathlib import Path

from statek.compiler.project import Compilation, compile_project

HEAD = "---\ndescription: One agent.\n{}---\nHello {{{{ vars.REGION }}}}.\n"
SETTINGS = '[tool.statek.env.dev]\nvars = {REGION = "eu"}\n'


def compiled(root: Path, env: str | None = None, **files: str) -> Compilation:
    """A project of agents with this front matter, and of `.yaml` files."""
    (root / "agents").mkdir(parents=True)
    (root / "pyproject.toml").write_text(SETTINGS)
    for name, text in files.items():
        path = root / "agents" / (f"{name}.yaml" if text.startswith("apiVersion") else f"{name}.md")
        path.write_text(text if path.suffix == ".yaml" else HEAD.format(text))
    return compile_project(root, env=env)


def revision(compilation: Compilation, name: str) -> str:
    """The revision of an agent."""
    assert compilation.problems == ()
    return next(item.revision for item in compilation.objects if item.name == name)


def overlay(env: str, rest: str) -> str:
    """The text of an overlay."""
    return f"apiVersion: statek/v1\nkind: Overlay\nmetadata: {{name: {env}}}\nspec: {{env: {env}, {rest}}}\n"


def test_a_revision_is_of_the_content_not_of_the_way_it_came(tmp_path):
    """The same values, written out, inherited, by Defaults or by an Overlay, are the same revision."""
    defaults = (
        "apiVersion: statek/v1\nkind: Defaults\nmetadata: {name: d}\nspec: {set: {model: a/b, limits: {turns: 3}}}\n"
    )
    patch = "patches: [{target: {kind: Agent, name: a}, set: {limits.turns: 3}}]"
    ways = [
        compiled(tmp_path / "own", a="model: a/b\nlimits: {turns: 3}\n"),
        compiled(tmp_path / "extends", p="abstract: true\nmodel: {use: a/b}\nlimits: {turns: 3}\n", a="extends: p\n"),
        compiled(tmp_path / "defaults", d=defaults, a=""),
        compiled(tmp_path / "overlay", o=overlay("dev", patch), a="model: a/b\n"),
    ]
    assert len({revision(way, "a") for way in ways}) == 1


def test_only_what_runs_gives_objects(tmp_path):
    """Abstract agents, Defaults and Overlays are declared, and nothing of them is applied."""
    found = compiled(tmp_path, p="abstract: true\nmodel: a/b\n", a="extends: p\n", o=overlay("live", "vars: {}"))
    assert [(item.kind, item.name) for item in found.objects] == [("Agent", "a")]
    assert found.declared == {"Agent": 2, "Overlay": 1}


def test_an_overlay_has_the_last_word_on_variables(tmp_path):
    """Its `vars` win over those of the settings, in its environment only."""
    files = {"a": "model: a/b\n", "o": overlay("dev", "vars: {REGION: us}")}
    (agent,) = compiled(tmp_path, **files).objects
    assert agent.value.vars == {"REGION": "us"}


def test_a_model_that_comes_again_is_asked_once(tmp_path):
    """A child that prefers what its parent falls back to does not ask it twice."""
    parent = "abstract: true\nmodel: {use: a/fast, fallback: [a/deep]}\n"
    found = compiled(tmp_path, p=parent, a="extends: p\nmodel: {use: a/deep}\n")
    assert found.objects[0].value.model == ("a/deep",)


def test_the_project_may_be_any_environment(tmp_path):
    """Problems of other environments' overlays are told, their values are not used."""
    patch = "patches: [{target: {kind: Agent, name: a}, set: {limits.turns: 3, limits.depht: 1}}]"
    found = compiled(tmp_path, a="model: a/b\n", o=overlay("live", patch))
    assert [problem.code for problem in found.problems] == ["STK705"]
