"""Tools that make child jobs of an agent that was made in Python, and look at them."""

from typing import Any

import dbzero as db0

from statek.runtime.delegation import create_new_job, create_sub_task
from statek.runtime.job_tools import find_locals, perm_ctx_get, perm_ctx_set, perm_ctx_set_unique, send_notification_to
from statek.runtime.subtask_tool import subtask
from statek.store import current, root
from statek.store.agent import SupervisedAgent
from statek.store.subtask import SubTaskHandler
from statek.testing import declare_tool
from tests.runtime import desk


@db0.memo(id="tests/ProudHandler")
class ProudHandler(SubTaskHandler):
    """A handler that says it its own way."""

    def __init__(self, job: Any, id: Any = None, title: str = "") -> None:  # noqa: A002 - as documented
        super().__init__(job, id)
        self.title = title

    def get_log_message(self) -> str:
        """Say it."""
        if not self.title:
            raise ValueError("no title")
        return f"{self.title} is done"


def make_worker() -> SupervisedAgent:
    """The agent of the children."""
    return SupervisedAgent("worker", "Work.", [desk.post, desk.cancel], _metadata={"MODEL": "scripted"})


def make_manager() -> SupervisedAgent:
    """The agent of children that have children."""
    tools = [research]
    return SupervisedAgent("manager", "Manage.", tools, _metadata={"MODEL": "scripted"})


def _child(**names: Any) -> Any:
    return create_new_job(root.find_agent(role="worker"), names, current.get_current_job())


@subtask
def research(topic: str, **kwargs: Any) -> Any:
    """Have something looked up."""
    return _child(topic=topic)


@subtask
def manage(topic: str, **kwargs: Any) -> Any:
    """Have somebody have something looked up."""
    return create_new_job(root.find_agent(role="manager"), {"topic": topic}, current.get_current_job())


@subtask
def praise(title: str, **kwargs: Any) -> Any:
    """Have something done that is worth saying."""
    return ProudHandler(_child(topic=title), title=title)


@subtask
def wrong(**kwargs: Any) -> Any:
    """Give something that is no child."""
    return 5


def start_outside(topic: str) -> Any:
    """Start a child from a call that also does something outside."""
    desk.post(f"start {topic}")
    return create_sub_task(_child(topic=topic))


def start_alone(topic: str) -> str:
    """Start a job that is nobody's child."""
    return str(create_new_job(root.find_agent(role="worker"), {"topic": topic}).id)


def give_name(value: Any) -> None:
    """Give the running job a name."""
    job = current.get_current_job()
    assert job is not None
    job.add_locals(given=value)


def give_name_outside(value: Any) -> None:
    """Give the running job a name, from a call that also does something outside."""
    desk.post("give")
    give_name(value)


def tell(job: str, text: str) -> None:
    """Send another job a text."""
    send_notification_to(root.find_job(job), text)


TOOLS = (
    *(
        declare_tool(function, effect="write")
        for function in (research, manage, praise, wrong, start_alone, give_name, tell)
    ),
    *(declare_tool(f, effect="write") for f in (perm_ctx_set, perm_ctx_get, perm_ctx_set_unique, find_locals)),
    declare_tool(start_outside),
    declare_tool(give_name_outside),
)
