"""What every test of the suite runs under, on whatever machine: nothing of the caller's Python settings, no haste.

Processes that tests start import this tree and keep its bytecode: a caller's PYTHONDONTWRITEBYTECODE would have each of
them compile the kit anew. Examples of hypothesis have no deadline: how long one takes says how busy the machine is.
"""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests import commands

for _name in [name for name in os.environ if name.startswith("PYTHON")]:
    del os.environ[_name]
os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
sys.dont_write_bytecode = False

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.load_profile("steady")


def pytest_sessionfinish() -> None:
    """Leave no process behind."""
    commands.end()
