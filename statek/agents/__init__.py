"""Documented package of agents."""

from statek.store.agent import Agent, SupervisedAgent, WarmupDef, update_warmup_defs

__all__ = ["Agent", "SupervisedAgent", "WarmupDef", "update_warmup_defs"]
