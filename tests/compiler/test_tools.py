"""Finding the functions of tools without importing anything."""

import pytest

from statek.compiler.project import check_project
from statek.compiler.tools import ModuleFinder


@pytest.fixture
def finder(tmp_path):
    """A finder over one module that must never run."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from shop.tickets import lookup\n")
    (tmp_path / "shop" / "tickets.py").write_text(
        "raise SystemExit('imported')\nimport os as system\n\ndef lookup(): ...\n\nclass Desk:\n"
        "    def close(self): ...\n"
        "try:\n    async def later(): ...\nexcept ImportError:\n    later = None\n"
    )
    return ModuleFinder((tmp_path,), tmp_path)


def test_names_at_the_top_of_a_module_are_found(finder):
    """Functions in plain and conditional code count, methods do not."""
    module = finder.find("shop.tickets")
    assert module.functions == {"lookup", "later"}
    assert module.classes == {"Desk"}
    assert "system" in module.others


def test_coroutine_functions_are_known_apart(finder):
    """Only these can be given up while they wait."""
    assert finder.find("shop.tickets").coroutines == {"later"}


def test_a_package_may_hand_on_a_function(finder):
    """A name that a package imports is there."""
    assert "lookup" in finder.find("shop").others


def test_a_missing_module_is_none_and_its_neighbours_are_known(finder):
    """What is near a missing module can be offered."""
    assert finder.find("shop.tikets") is None
    assert finder.known("shop.tikets") == ("shop.tickets",)


def test_installed_modules_are_found_too(finder):
    """A tool may come from an installed package or from Python itself."""
    assert "dumps" in finder.find("json").functions
    assert finder.find("math").open_ended


def test_star_imports_leave_the_names_open(finder, tmp_path):
    """What cannot be seen is not called missing."""
    (tmp_path / "more.py").write_text("from shop.tickets import *\n")
    assert finder.find("more").open_ended


@pytest.mark.parametrize("raw", [b"def f(:\n", b"\xff\xfe\x00", b"x = 'a\x00b'\n", b"(" * 5000])
def test_a_module_that_cannot_be_read_says_why(finder, tmp_path, raw):
    """No file content makes the search fail."""
    (tmp_path / "bad.py").write_bytes(raw)
    assert "bad.py" in finder.find("bad").failure


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("find = 3", "a number"), ("find = -1.5", "a number"), ("find = 'x'", "text"), ("find = f'{1}'", "text"),
        ("find: list[int] = []", "a list"), ("find = {}", "a mapping"), ("a = find = (1, 2)", "a tuple"),
        ("find = None", "None"), ("find = [x for x in range(3)]", "a list"),
    ],
)  # fmt: skip
def test_what_is_written_out_as_a_value_is_no_function(finder, tmp_path, text, kind):
    """A plain assignment at the top says what a name is."""
    (tmp_path / "plain.py").write_text(f"{text}\n")
    assert finder.find("plain").values["find"] == kind


@pytest.mark.parametrize(
    "text",
    [
        "find = lambda: 3", "find = partial(print)", "find = other", "find: int", "find = not 3", "find = print or 3",
        "find = None\ndef find(): ...", "find = None\ntry:\n    from shop import find\nexcept ImportError: pass",
        "if True:\n    find = 3", "find = 3\nfind = print",
        "find = None\ndef set_up():\n    global find\n    find = print",
        "find = None\nglobals()['find'] = print", "find = None\nfrom shop import *", "(find := 3)",
        "find, b = print, 3",
        "find = None\nimport sys\nsetattr(sys.modules[__name__], 'find', print)", "find = 3\ndel find",
        "find = None\nfor find in [print]: pass", "find = None\nimport shop.find as find",
    ],
)  # fmt: skip
def test_what_may_be_a_function_is_left_alone(finder, tmp_path, text):
    """Whatever reading does not show for certain is found out when the tool is loaded."""
    (tmp_path / "plain.py").write_text(f"{text}\n")
    assert "find" not in finder.find("plain").values


TWO_SETS = """\
apiVersion: statek/v1
kind: ToolSet
metadata: {name: one}
spec: {tools: [{python: "shop:a"}, {python: "shop:b"}]}
"""


def test_an_unreadable_module_is_told_where_it_is_an_error(tmp_path):
    """Where the first set only warns, the second one is not passed over."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.statek]\n[[tool.statek.lint.paths]]\nfiles = ['agents/a.yaml']\nrules = {STK501 = 'warn'}\n"
    )
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "a.yaml").write_text(TWO_SETS)
    (tmp_path / "agents" / "b.yaml").write_text(TWO_SETS.replace("one", "two"))
    (tmp_path / "shop.py").write_text("def a(:\n")
    (problem,) = check_project(tmp_path).problems
    assert (problem.severity, problem.file) == ("error", "agents/b.yaml")


def test_a_class_that_gives_its_name_to_something_else_may_be_a_tool(tmp_path):
    """What the name means in the end is not for reading to say."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "a.yaml").write_text(TWO_SETS)
    (tmp_path / "shop.py").write_text("class a:\n    def __call__(self): ...\na = a()\ndef b(): ...\n")
    assert check_project(tmp_path).problems == ()
