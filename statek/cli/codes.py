"""Exit codes. Documented and final: scripts branch on them."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0  # done, or nothing to do
    WRONG = 1  # specs have errors; no such object or job; inputs do not fit
    USAGE = 2  # wrong usage
    DIFFERS = 3  # differences, only with --exit-code
    REFUSED = 4  # a guard refuses, or a queue is full
    STALE = 5  # head moved, the plan is stale
    NACKED = 6  # the release cannot run here; head did not move
    TIMEOUT = 7  # timed out waiting; head may have moved
    STORE = 9  # the store or its ledger cannot be used
    PROVIDER = 10  # a provider or secret is not available
    BUG = 70  # a bug in statek
    INTERRUPTED = 130  # interrupted
