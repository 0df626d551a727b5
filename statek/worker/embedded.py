"""`start_statek` and `start_statek_async`: a worker inside the application's own process, on a store it opened.

Prepares settings, prompt and warmup files and the client API object, then runs the documented loops.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from statek.runtime.loops import AgentLoopDef, run_agentic_fleet, run_agentic_loop, run_jobs_loop
from statek.settings import StatekSettings, get_statek_logger, get_statek_settings, set_statek_settings
from statek.store.agent import Agent, SupervisedAgent, stored_agents, update_prompt_config, update_warmup_defs
from statek.store.prices import init_model_pricing
from statek.store.queue import StatekPushQueue
from statek.store.session import Store
from statek.worker.client import StatekClientAPI


def init(settings: StatekSettings | None = None, restricted: bool = True) -> None:
    """Make `settings` the process's own, and read their price files. Model code never runs unguarded.

    Raises:
        ValueError: `restricted` is False, or a price file lacks a column.
    """
    if not restricted:
        raise ValueError("restricted=False is not offered: model-written code always runs in the sandbox")
    chosen = settings if settings is not None else get_statek_settings()
    set_statek_settings(chosen)
    init_model_pricing(chosen.statek_model_info_dir)


def start_statek(
    agents: Sequence[Agent] | None = None,
    push_queues: Sequence[StatekPushQueue] | None = None,
    settings: StatekSettings | None = None,
    max_concurrency: int = 100,
    provider: str = None,  # type: ignore[assignment]  # noqa: RUF013 - documented signature
) -> Any:
    """Run a worker in this process until its loop returns; see `start_statek_async`.

    Raises:
        RuntimeError: called inside a running event loop.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(start_statek_async(agents, push_queues, settings, max_concurrency, provider))
    raise RuntimeError("start_statek was called inside a running event loop: use `await start_statek_async(...)`")


async def start_statek_async(
    agents: Sequence[Agent] | None = None,
    push_queues: Sequence[StatekPushQueue] | None = None,
    settings: StatekSettings | None = None,
    max_concurrency: int = 100,
    provider: str = None,  # type: ignore[assignment]  # noqa: RUF013 - documented signature
) -> None:
    """Run a worker on the store this process has open.

    Args:
        agents: agents to activate; None: all in the store. Duplicates are ignored, order is kept.
        push_queues: queues whose prefixes are served; None: the current prefix.
        settings: None: from the environment.
        max_concurrency: jobs that are active at once.
        provider: default provider; a job's metadata can choose another.

    Raises:
        TypeError: settings or an agent that are none.
        ValueError: `max_concurrency` is below 1, or an agent has no MODEL metadata.
        StoreError: a loop of this process runs the jobs of this store already, or it cannot be used.
    """
    init(settings)
    chosen = get_statek_settings()
    _be_heard()
    StatekClientAPI()
    active = _unique(agents if agents is not None else stored_agents())
    _apply_files(active, chosen)
    prefixes = _prefixes(push_queues)
    supervised = [agent for agent in active if isinstance(agent, SupervisedAgent)]
    if not supervised:
        await run_jobs_loop(max_concurrency, provider, queue_prefixes=prefixes)
    elif len(supervised) == 1:
        await run_agentic_loop(supervised[0], None, _no_tasks, prefixes, max_concurrency, provider)
    else:
        loops = [AgentLoopDef(agent, None, _no_tasks) for agent in supervised]
        await run_agentic_fleet(loops, prefixes, max_concurrency, provider)


def _be_heard() -> None:
    """Show on stderr what the log level lets through, as long as the host has set up no logging of its own."""
    logger = get_statek_logger()
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        handler.addFilter(lambda _record: not logging.getLogger().handlers)
        logger.addHandler(handler)


def _no_tasks() -> int:
    """Agents started this way take jobs, messages and events; the application's own queue is its own."""
    return 0


def _unique(agents: Sequence[Agent]) -> list[Agent]:
    found: list[Agent] = []
    for agent in agents:
        if not isinstance(agent, Agent):
            raise TypeError(f"agents are Agent objects, found {type(agent).__name__}")
        if not any(agent is known for known in found):
            found.append(agent)
    return found


def _prefixes(push_queues: Sequence[StatekPushQueue] | None) -> list[str]:
    store = Store.attach()
    if push_queues is None:
        return [store.prefix]
    return [queue.prefix for queue in push_queues]


def _apply_files(agents: Sequence[Agent], settings: StatekSettings) -> None:
    """Prompt definitions and warmup files of the settings, for the agents they name."""
    update_prompt_config(settings.prompt_defs, agents)
    if settings.warmup_defs_dir and Path(settings.warmup_defs_dir).is_dir():
        update_warmup_defs(settings.warmup_defs_dir, agents)
