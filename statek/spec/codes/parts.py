"""What a text of `explain` is made of: one Code, and short ways to write its examples. No texts here; see `codes`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

Files = Mapping[str, str]  # path in the project -> text


class Example(TypedDict):
    """Two arguments of a Code."""

    wrong: Files
    right: Files


@dataclass(frozen=True, slots=True)
class Code:
    """One diagnostic code.

    Attributes:
        title: what is wrong, in one sentence.
        why: why that is refused, and what to do.
        wrong: files that give this code; none when files alone cannot.
        right: the same files put right.
        unshown: why there is no example, when there is none.
    """

    title: str
    why: str
    wrong: Files = field(default_factory=dict)
    right: Files = field(default_factory=dict)
    unshown: str = ""


def agent_file(front: str, body: str = "Sort the ticket.\n") -> str:
    """An agent's file with these lines of front matter."""
    return f"---\ndescription: Sorts tickets.\nmodel: fast\n{front}---\n{body}"


def yaml_file(kind: str, name: str, spec: str) -> str:
    """A document with these lines under `spec`."""
    return f"apiVersion: statek/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{spec}"


def pair(file: str, wrong: str, right: str) -> Example:
    """`wrong` and `right` of a Code whose example is one file."""
    return {"wrong": {file: wrong}, "right": {file: right}}


def agents(wrong: str, right: str) -> Example:
    """`wrong` and `right`: lines of an agent's front matter."""
    return pair("agents/triage.md", agent_file(wrong), agent_file(right))


def prompts(wrong: str, right: str, front: str = "") -> Example:
    """`wrong` and `right`: the prompt of an agent."""
    return pair("agents/triage.md", agent_file(front, wrong), agent_file(front, right))


def documents(file: str, kind: str, name: str, wrong: str, right: str) -> Example:
    """`wrong` and `right`: lines under `spec` of one document."""
    return pair(file, yaml_file(kind, name, wrong), yaml_file(kind, name, right))


def queues(wrong: str, right: str) -> Example:
    """`wrong` and `right`: lines of a Queue's `spec`."""
    return documents("queues/support.yaml", "Queue", "support", wrong, right)


def warmups(wrong: str, right: str, front: str = "") -> Example:
    """`wrong` and `right`: the warmup of an agent with these further lines of front matter."""
    agent = {"agents/triage.md": agent_file(f"tools: [ticketing/*]\nwarmup: triage\n{front}")}
    return {"wrong": {**agent, "warmups/triage.py": wrong}, "right": {**agent, "warmups/triage.py": right}}
