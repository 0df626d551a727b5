"""Tools of the kit for code that runs in a job: look things up, tell, print. Every agent has them, none needs them.

They work on the job that runs now and on nothing else. What jobs are to each other (`panic`, notifications, sub-tasks)
is `delegation`; here it is only marked as tools of the kit. `python_cli` is never called: the runtime runs its code.
"""

from collections.abc import Mapping
from typing import Any

from statek.runtime import delegation, job_tools
from statek.store import current
from statek.text.llm_repr import llm_repr
from statek.tools.pages import page_of
from statek.tools.registry import Tool, from_callable, kit_tool

find_sub_task_handler = kit_tool(delegation.find_sub_task_handler)
get_pending_notifications = kit_tool(job_tools.get_pending_notifications)
send_notification_to = kit_tool(job_tools.send_notification_to)
panic = kit_tool(job_tools.panic)


@kit_tool
def docstr(what: Any, method_name: str | None = None) -> None:
    """Print the whole documentation of a function, a class, or an object's class.

    Args:
        what: the thing itself, not its name.
        method_name: of one of its methods instead.
    """
    print(_page(what, method_name, brief=False))


@kit_tool
def brief(what: Any, method_name: str | None = None) -> None:
    """Print in short what a function, a class, or an object's class is for.

    Args:
        what: the thing itself, not its name.
        method_name: of one of its methods instead.
    """
    print(_page(what, method_name, brief=True))


def statek_print(*objects: Any, sep: str = " ", end: str = "\n", file: Any = None, flush: bool = False) -> None:
    """Print values as a model is shown them: texts as they are, everything else in short."""
    print(*map(llm_repr, objects), sep=sep, end=end, file=file, flush=flush)


@kit_tool(target="direct")
def python_cli(code: str) -> None:
    """Run Python code in the job.

    Args:
        code: Python code to run in the job
    """
    raise RuntimeError("python_cli is called by name in an answer, not in code: write the code itself")


def _page(what: Any, method_name: str | None, *, brief: bool) -> str:
    """A page, or why there is none in one line: nothing here is worth an exception in the caller's code."""
    asking = current.get_current_agent()
    agent = None if asking is None else type(asking).__name__  # rules for readers name kinds of agents
    if isinstance(getattr(what, "tool", None), Tool):
        what = what.tool
    try:
        return page_of(what, method_name, brief=brief, agent=agent)
    except (ValueError, AttributeError, TypeError, NameError) as error:
        return f"{type(error).__name__}: {error}"


FORMAL = tuple(
    from_callable(function)
    for function in (
        get_pending_notifications, find_sub_task_handler, send_notification_to, docstr, brief, panic, python_cli
    )
)  # fmt: skip
"""Those that a provider may be told of."""
PYTHON_CLI = FORMAL[-1]
_PLAIN = (
    delegation.complete_sub_task, job_tools.perm_ctx_get, job_tools.perm_ctx_set, job_tools.perm_ctx_set_unique,
    job_tools.find_locals, job_tools.statek_ctx_get, statek_print,
)  # fmt: skip
IN_CODE: Mapping[str, Tool] = {
    tool.name: tool for tool in (*FORMAL[:-1], *(from_callable(function, effect="write") for function in _PLAIN))
}
"""Those that code finds by name; an agent's own tool of that name comes first."""
