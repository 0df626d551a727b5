"""`from statek import f` in a job's code: what is offered by name may be imported as the documents write it."""

import pytest

from statek.testing import run_snippet


@pytest.mark.parametrize("path", ["statek", "statek.task", "statek.system", "statek.utils"])
def test_offered_names(path: str) -> None:
    """An offered name can be imported, also under another one and inside a function; nothing is echoed."""
    source = f"from {path} import len\ndef f():\n    from {path} import abs, sum as s\n    return s([abs(-1)])\n"
    source += "print(len([1]), f())"
    assert run_snippet(source) == (["1 1"], None)


@pytest.mark.parametrize(
    "source",
    [
        "from statek import nothing", "from statek import _getattr_ as g", "from statek import __builtins__ as b",
        "from statek import len as _x_", "from statek import *", "import statek", "from statek.store import job",
        "from statek import exec as e\ne('1')", "from statek import open as o\no('x')",
    ],
)  # fmt: skip
def test_nothing_else(source: str) -> None:
    """Names that are not offered, the machinery's and the kit's other modules are out of reach."""
    console, error = run_snippet(source)
    assert error is not None
    assert console == []
