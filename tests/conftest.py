"""What every test of the suite runs under, on whatever machine: nothing of the caller's settings, no haste.

Colours, proxies, keys and settings of the kit that the caller has in the environment are not those of the tests.
Processes that tests start import this tree and keep its bytecode: a caller's PYTHONDONTWRITEBYTECODE would have each of
them compile the kit anew. Examples of hypothesis have no deadline: how long one takes says how busy the machine is.
They are the same in every run, so that a change is judged by what it does; `make cases` looks for new ones.
"""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests import commands

_BEGINS = ("PYTHON", "STATEK_", "SSL_CERT_", "CLICOLOR", "TTY_", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "LINES")
_ENDS = ("_PROXY", "_API_KEY", "_API_URL")

for _name in [name for name in os.environ if name.upper().startswith(_BEGINS) or name.upper().endswith(_ENDS)]:
    del os.environ[_name]
os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
sys.dont_write_bytecode = False

settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None,
    derandomize="CASES" not in os.environ,
)  # fmt: skip
settings.load_profile("steady")


def pytest_sessionfinish() -> None:
    """Leave no process behind."""
    commands.end()
