"""The job runtime: a stored job becomes one stretch of work, stretches become passes, passes become a fleet.

What lives here acts on stored jobs; what they look like is the store's. Nothing here knows files or specs: agents come
from compiled revisions in the ledger, or from Python. The way down: `fleet` (the loop) -> `passes` (one pass: take in,
run, record, perform, acknowledge) -> `step` (one stretch of one job) -> `execute` (its code) and `turn` (its model).
"""
