"""Aliases and the other names that only one object may have."""

import pytest

from statek.spec.checking.links import check_links
from tests.spec.declared import AGENT, declared, document


def problems_of(files):
    """Code, file and message of what is wrong with the references."""
    return [(problem.code, problem.file, problem.message) for problem in check_links(declared(files))]


@pytest.mark.parametrize("alias", ["b", "B", "a"])
def test_an_alias_is_no_name_that_lives(alias):
    """Nor its own, in any case; each kind has its own names."""
    files = {"agents/a.md": AGENT.format(f"aliases: [{alias}, q]\n"), "agents/b.md": AGENT.format("")}
    files["queues/q.yaml"] = document("Queue", "{}", "q")
    ((code, file, _),) = problems_of(files)
    assert (code, file) == ("STK208", "agents/a.md")


def test_an_alias_belongs_to_one_object():
    """The second one is told where the first is."""
    text = document("Queue", "{}", "q", ", aliases: [old]") + "---\n" + document("Queue", "{}", "r", ", aliases: [Old]")
    ((code, _, message),) = problems_of({"queues/q.yaml": text})
    assert code == "STK202"
    assert "queues/q.yaml:3" in message


def test_a_prefix_has_one_queue():
    """The second one is told where the first is."""
    text = "---\n".join(
        document("Queue", f"{{prefix: {prefix}}}", name) for name, prefix in zip("qrs", "xyx", strict=True)
    )
    ((code, _, message),) = problems_of({"queues/q.yaml": text})
    assert code == "STK606"
    assert "queue 'q' at queues/q.yaml:4" in message
