"""Lets a process of the killed fleet die at a named place: the file of the point says `WHO MODULE:FUNCTION WHEN N`.

Python runs this at the start of every process that has this folder in its path. The first process of the right kind
takes the order, so it is carried out once: `kill -9` at the Nth call of that function, before it or after it. Nothing
else of the process is changed.
"""

import contextlib
import functools
import importlib.machinery
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_KINDS = {"child": "statek.worker.child", "supervisor": "work", "compact": "compact",
          "rewriting": "statek.worker.compacting", "backup": "backup", "restore": "restore",
          "host": "tests.crash.host"}  # fmt: skip


def _arrange() -> None:
    file = Path(os.environ.get("CRASH_POINT_FILE", ""))
    if not file.is_file():
        return
    order = file.read_text()
    who, where, when, count = order.split()
    if _KINDS[who] not in sys.orig_argv:
        return
    module, function = where.split(":")
    sys.meta_path.insert(0, _Finder(module, function, when, int(count), file, order))


class _Finder:
    """Finds one module as ever, and puts the end of the process into it."""

    def __init__(self, module: str, function: str, when: str, count: int, file: Path, order: str) -> None:
        self._module = module
        self._function = function
        self._when = when
        self._left = count
        self._file = file
        self._order = order

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Python's own, with another end."""
        if name != self._module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.loader is not None
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            self._put_into(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _put_into(self, module: Any) -> None:
        *owners, last = self._function.split(".")
        owner = functools.reduce(getattr, owners, module)
        setattr(owner, last, self._dying(getattr(owner, last)))

    def _dying(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **named: Any) -> Any:
                self._die("before")
                result = await function(*args, **named)
                self._die("after")
                return result

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **named: Any) -> Any:
            self._die("before")
            result = function(*args, **named)
            self._die("after")
            return result

        return called

    def _die(self, when: str) -> None:
        if when != self._when:
            return
        self._left -= 1
        if self._left == 0:
            with contextlib.suppress(FileNotFoundError):  # the order was taken back meanwhile
                if self._file.read_text() == self._order:
                    self._file.rename(self._file.with_suffix(".done"))
                    os.kill(os.getpid(), signal.SIGKILL)


_arrange()
