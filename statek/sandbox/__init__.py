"""Running model-written Python: restricted, bounded, able to wait. Knows no job, no tool, no store.

Everything outside is reached through a `Border` that the caller gives (`guards.py`). RestrictedPython is imported here
and nowhere else.
"""
