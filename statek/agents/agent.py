"""Documented path of agents."""

from statek.store.agent import Agent, SupervisedAgent, WarmupDef

__all__ = ["Agent", "SupervisedAgent", "WarmupDef"]
