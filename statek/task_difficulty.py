"""Documented path of task difficulties."""

from statek.store.prompt import TaskDifficulty, max_task_difficulty, parse_task_difficulty

__all__ = ["TaskDifficulty", "max_task_difficulty", "parse_task_difficulty"]
