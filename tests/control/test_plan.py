"""Plans: pure comparison of head with what the files want."""

import dataclasses
from pathlib import Path

import pytest

from statek.compiler.project import compile_project
from statek.control.desired import desired_objects
from statek.control.plan import Plan, Prune, Sign, compare
from statek.control.plan_text import plan_lines
from statek.control.scope import Scope, scope_of
from statek.exceptions import StatekError
from statek.ledger.releases import Release, StoredObject


def wanted(project: Path) -> list[StoredObject]:
    """What the files of the project want."""
    return list(desired_objects(compile_project(project)))


def plan(head: Release | None, objects: list[StoredObject], **more: object) -> Plan:
    """A plan of project `shop` for `dev`."""
    return compare(head, objects, env="dev", project="shop", **more)  # type: ignore[arg-type]


def signs(found: Plan) -> dict[str, Sign]:
    """Sign of every object."""
    return {action.key: action.sign for action in found.actions}


def test_everything_is_new_before_the_first_apply(project: Path) -> None:
    """Without a head every object is new, whatever the scope."""
    found = plan(None, wanted(project), scope=Scope(("queues",)))

    assert {Sign.NEW} == set(signs(found).values())
    assert {"Agent/triage", "Model/fast", "Provider/script", "Queue/support", "Script/answers"} == set(signs(found))


def test_an_applied_project_has_nothing_to_do(project: Path) -> None:
    """Planning against what was just applied asks for nothing."""
    head = plan(None, wanted(project)).target

    found = plan(head, wanted(project))

    assert found.nothing_to_do
    assert plan_lines(found)[-1].startswith("nothing to do")


def test_a_changed_agent_names_its_aspects(project: Path) -> None:
    """An edit of prompt and limits is shown as just these."""
    head = plan(None, wanted(project)).target
    agent = project / "agents/triage.md"
    agent.write_text(agent.read_text().replace("model: fast", "model: fast\nlimits: {turns: 7}") + "Be quick.\n")

    found = next(action for action in plan(head, wanted(project)).actions if action.sign is Sign.CHANGED)

    assert found.aspects == ("prompt", "limits")
    assert "limits.turns 50 -> 7" in found.details


def test_objects_outside_of_the_scope_stay(project: Path) -> None:
    """Applying one folder leaves changed objects of other folders as they are in head."""
    head = plan(None, wanted(project)).target
    (project / "agents/triage.md").write_text((project / "agents/triage.md").read_text() + "More.\n")

    found = plan(head, wanted(project), scope=scope_of(project, [project / "queues"]))

    assert Sign.KEPT is signs(found)["Agent/triage"]
    assert found.nothing_to_do


def test_what_an_object_in_scope_needs_comes_along(project: Path) -> None:
    """A new model and its provider are taken with the agent that needs them, from outside of the scope."""
    head = plan(None, wanted(project)).target
    agent = project / "agents/triage.md"
    agent.write_text(agent.read_text().replace("model: fast", "model: deep"))
    models = project / "agents/models.yaml"
    models.write_text(models.read_text() + "---\napiVersion: statek/v1\nkind: Model\nmetadata: {name: deep}\n"
                      "spec: {provider: script, id: answers}\n")  # fmt: skip

    found = plan(head, wanted(project), scope=scope_of(project, [agent]))

    assert {"Agent/triage": Sign.CHANGED, "Model/deep": Sign.NEW}.items() <= signs(found).items()


def test_a_removed_file_leaves_an_orphan(project: Path) -> None:
    """Without prune the object of a deleted file stays in the target."""
    head = plan(None, wanted(project)).target
    (project / "queues/support.yaml").unlink()

    found = plan(head, wanted(project))

    assert Sign.ORPHANED is signs(found)["Queue/support"]
    assert found.nothing_to_do


def test_prune_removes_an_orphan(project: Path) -> None:
    """With prune it leaves, and one object is never too many."""
    head = plan(None, wanted(project)).target
    (project / "queues/support.yaml").unlink()

    found = plan(head, wanted(project), prune=Prune())

    assert Sign.PRUNED is signs(found)["Queue/support"]
    assert "Queue/support" not in found.target.objects
    assert found.refusals == ()


def test_prune_of_too_many_objects_is_refused(project: Path) -> None:
    """More than the limit is refused, and the message says how to allow it."""
    extra = dataclasses.replace(wanted(project)[-1], kind="Script", name="more")
    head = plan(None, [*wanted(project), extra, dataclasses.replace(extra, name="most")]).target

    refusal = plan(head, wanted(project), prune=Prune()).refusals[0]

    assert refusal.code == "STK709"
    assert "--prune-limit 2" in refusal.message


def test_a_prune_limit_is_taken_at_its_word(project: Path) -> None:
    """A limit that is given replaces the built-in one."""
    extra = dataclasses.replace(wanted(project)[-1], kind="Script", name="more")
    head = plan(None, [*wanted(project), extra, dataclasses.replace(extra, name="most")]).target

    assert plan(head, wanted(project), prune=Prune(limit=2)).refusals == ()


def test_an_empty_release_is_refused(project: Path) -> None:
    """Pruning everything is refused however high the limit is."""
    head = plan(None, wanted(project)).target

    assert "STK708" in [refusal.code for refusal in plan(head, [], prune=Prune(limit=99)).refusals]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("queues/support.yaml", "{name: support}", "{name: support, protect: true}"),
        ("agents/triage.md", "model: fast", "model: fast\nprotect: true"),
    ],
)
def test_protection_is_kept_beside_the_object(project: Path, file: str, old: str, new: str) -> None:
    """It is read from head when the file is gone; to add it is a renewal, no other revision."""
    head = plan(None, wanted(project)).target
    (project / file).write_text((project / file).read_text().replace(old, new))

    found = plan(head, wanted(project))

    assert [entry.file for entry in found.target.objects.values() if entry.extra.get("protect")] == [file]
    assert found.nothing_to_do
    assert found.renews_places


def test_a_model_of_a_built_in_provider_needs_no_document(project: Path) -> None:
    """A release may hold a Model whose Provider has no document, when its address is known."""
    models = project / "agents/models.yaml"
    models.write_text(
        "apiVersion: statek/v1\nkind: Model\nmetadata: {name: fast}\nspec: {provider: anthropic, id: m}\n"
    )

    assert plan(None, wanted(project)).refusals == ()


def test_a_protected_object_is_not_pruned(project: Path) -> None:
    """The guard is read from head, so deleting the file does not delete it."""
    head = plan(None, wanted(project)).target
    guarded = dataclasses.replace(head.objects["Queue/support"], extra={"protect": True})
    head = dataclasses.replace(head, objects={**head.objects, "Queue/support": guarded})
    (project / "queues/support.yaml").unlink()

    assert plan(head, wanted(project), prune=Prune()).refusals[0].code == "STK707"


def test_an_object_of_another_project_is_not_taken_over(project: Path) -> None:
    """Two owners of one object are refused with both names."""
    head = plan(None, wanted(project)).target
    foreign = dataclasses.replace(head.objects["Model/fast"], owner="desk/agents")
    head = dataclasses.replace(head, objects={**head.objects, "Model/fast": foreign})

    refusal = plan(head, wanted(project)).refusals[0]

    assert (refusal.code, refusal.object) == ("STK720", "Model/fast")
    assert "'desk'" in refusal.message


def test_objects_of_another_project_are_never_pruned(project: Path) -> None:
    """What this project does not own stays."""
    first = plan(None, wanted(project)).target
    foreign = dataclasses.replace(first.objects["Script/answers"], name="other", owner="desk/agents")
    head = dataclasses.replace(first, objects={**first.objects, foreign.key: foreign})

    assert foreign.key in plan(head, wanted(project), prune=Prune()).target.objects


def test_a_release_that_lacks_something_needed_is_refused(project: Path) -> None:
    """Pruning what an object outside of the scope still needs is refused with the name of that object."""
    head = plan(None, wanted(project)).target
    objects = [entry for entry in wanted(project) if entry.kind != "Agent" and entry.kind != "Queue"]

    found = plan(head, objects, scope=Scope(("agents",)), prune=Prune())

    assert (found.refusals[0].code, found.refusals[0].object) == ("STK201", "Queue/support")


def test_moving_an_object_is_no_change(project: Path) -> None:
    """A comment above a prompt moves it down: the same revision, only its place is new."""
    head = plan(None, wanted(project)).target
    agent = project / "agents/triage.md"
    agent.write_text(agent.read_text().replace("model: fast", "# a comment\nmodel: fast"))

    found = plan(head, wanted(project))

    assert found.nothing_to_do
    assert found.renews_places


def test_the_lines_of_a_plan_say_what_and_where(project: Path) -> None:
    """A person reads sign, object and source in one line."""
    lines = plan_lines(plan(None, wanted(project)))

    assert any(line.startswith("+ Agent/triage") and line.endswith("agents/triage.md:1") for line in lines)
    assert lines[-1].startswith("5 new; release r-")


def test_the_json_of_a_plan_has_every_action(project: Path) -> None:
    """A program reads the same."""
    data = plan(None, wanted(project)).to_json()

    assert (data["base"], len(data["actions"])) == (None, 5)
    assert {"action": "new", "object": "Agent/triage"}.items() <= data["actions"][0].items()


def test_a_scope_outside_of_the_project_is_refused(project: Path) -> None:
    """One call applies one project."""
    with pytest.raises(StatekError, match="lies outside"):
        scope_of(project, [project.parent])
