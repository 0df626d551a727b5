"""The list of what modules offer is what a job's code finds in them."""

import pytest

from statek.sandbox.exports import EXPORTS
from statek.sandbox.guards import builtins_for, guards_of
from statek.sandbox.policy import MODULES, Policy
from statek.sandbox.runner import LocalBorder


def test_every_module_is_listed():
    """All that may be imported, and nothing else."""
    assert set(EXPORTS) == MODULES


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_offers_what_is_listed(name):
    """A warmup is checked against the list, a job gets the module."""
    modules = guards_of(builtins_for(LocalBorder(seed=1), Policy(), {})).modules
    assert set(modules.module(name).exports()) == set(EXPORTS[name])
