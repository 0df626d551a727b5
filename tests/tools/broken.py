"""A module that cannot be imported."""

import statek.no_such_module  # noqa: F401
