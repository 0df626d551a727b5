"""A job's Python side as the documents show it: names, console, errors, messages, exit status.

`PyEnv` itself is a plain value that a new job may be made from; the one a stored job gives reads the store at each
access. Names are written through `Job.add_locals`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

PERM_CTX = "_PERM_CTX"  # the reserved name that holds a job's persistent context


class ErrorKind(Enum):
    """What kind of error a console position is about."""

    EXECUTION = "execution"  # the job's code failed
    HARNESS = "harness"  # a limit was reached


@dataclass(frozen=True)
class Error:
    """One error of a job."""

    kind: ErrorKind
    message: str


class PyEnv:
    """Names, console and exit status that a new job is to begin with."""

    def __init__(
        self,
        global_state: Mapping[str, Any] | None = None,
        local_state: Mapping[str, Any] | None = None,
        console: Iterable[str] | None = None,
        exceptions: Mapping[int, Error] | None = None,
        push_log: Mapping[int, str | list[str]] | None = None,
        next_instr_id: int | None = None,
        warmup_block_num: int | None = None,
        exit_status: Any = None,
        future_result: Any = None,
    ) -> None:
        """Keep the values; a job takes over names, console, messages, errors and exit status."""
        self.global_state: dict[str, Any] = dict(global_state or {})
        self.local_state: dict[str, Any] = dict(local_state or {})
        self.console: list[str] | None = list(console) if console is not None else None
        self.exceptions = dict(exceptions) if exceptions is not None else None
        self.push_log = dict(push_log) if push_log is not None else None
        self.next_instr_id = next_instr_id
        self.warmup_block_num = warmup_block_num
        self.exit_status = exit_status
        self.future_result = future_result

    @property
    def perm_ctx(self) -> dict[str, Any] | None:
        """The persistent context, or None."""
        found: dict[str, Any] | None = self.local_state.get(PERM_CTX)
        return found

    def console_append(self, text: str) -> None:
        """Add one console entry."""
        self.console = [*(self.console or ()), text]

    def update_locals(self, **kwargs: Any) -> None:
        """Add names."""
        self.local_state.update(kwargs)


class LiveNames(dict[str, Any]):
    """A job's names as they are now; what is set here is given to the job."""

    def __init__(self, names: Mapping[str, Any], job: Any) -> None:
        """Copy `names` of `job`."""
        super().__init__(names)
        self._job = job

    def __setitem__(self, name: str, value: Any) -> None:
        """Give the job one more name. Raises CannotKeep."""
        self._job.add_locals(**{name: value})
        super().__setitem__(name, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Give the job more names. Raises CannotKeep."""
        values = dict(*args, **kwargs)
        self._job.add_locals(**values)
        super().update(values)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value of a name; the job gets it when it has none. Raises CannotKeep."""
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, values: Any) -> "LiveNames":  # type: ignore[misc,override]
        """Give the job more names. Raises CannotKeep."""
        self.update(values)
        return self

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("names of a job can be deleted by its own code only")

    __delitem__ = pop = popitem = clear = _refuse


class LiveConsole(list[str]):
    """A job's console as it is now; what is added here is printed there, and nothing of it can be changed."""

    def __init__(self, lines: Iterable[str], job: Any) -> None:
        """Copy `lines` of `job`."""
        super().__init__(lines)
        self._job = job

    def append(self, line: str) -> None:
        """Add one console entry."""
        self._job.console_append(line)
        super().append(line)

    def extend(self, lines: Iterable[str]) -> None:
        """Add several."""
        for line in lines:
            self.append(line)

    def __iadd__(self, lines: Iterable[str]) -> "LiveConsole":  # type: ignore[misc,override]
        self.extend(lines)
        return self

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a console only grows: nothing of it can be changed or taken out")

    __setitem__ = __delitem__ = __imul__ = insert = pop = remove = clear = sort = reverse = _refuse


class StoredPyEnv(PyEnv):
    """The Python side of a stored job, read at each access."""

    def __init__(self, job: Any) -> None:
        """View `job`."""
        self._job = job

    @property
    def global_state(self) -> dict[str, Any]:  # type: ignore[override]
        """Nothing: what code finds beside its names is made by the runtime."""
        return {}

    @property
    def local_state(self) -> dict[str, Any]:  # type: ignore[override]
        """The job's names; setting one gives it to the job."""
        return LiveNames(self._job.read_names(), self._job)

    @property
    def console(self) -> list[str]:  # type: ignore[override]
        """Everything printed, one entry a print; last, why a limit or the provider ended the job."""
        return LiveConsole([*self._job.read_console(), *self._job.last_words()], self._job)

    @property
    def exit_status(self) -> Any:
        """What was given to `exit`, None when it was nothing; `Error: ...` when a limit ended the job."""
        error = self._job.error
        if error is not None and error.error_message.startswith("LLM_HarnessError"):
            return f"Error: {error.error_message}"
        return self._job.exit_value

    @property
    def exceptions(self) -> dict[int, Error] | None:  # type: ignore[override]
        """Errors by console position, None when there was none."""
        return self._job.errors_by_position() or None

    @property
    def push_log(self) -> dict[int, str | list[str]] | None:  # type: ignore[override]
        """Messages by the console length at which they came: a text, or a list of several. None without any."""
        found: dict[int, str | list[str]] = {}
        for item in self._job.records:
            if item.kind == "user":
                here = found.get(item.console_pos)
                several = [*here, item.text] if isinstance(here, list) else [here, item.text]
                found[item.console_pos] = item.text if here is None else several
        return found or None

    @property
    def next_instr_id(self) -> int | None:  # type: ignore[override]
        """The statement at which the job goes on."""
        index: int | None = self._job.next_instr_num
        return index

    @property
    def warmup_block_num(self) -> int | None:  # type: ignore[override]
        """The block of the warmup."""
        number: int | None = self._job.warmup_block_num
        return number

    @property
    def future_result(self) -> Any:
        """The future that is waited for."""
        return self._job.awaited_result

    def console_append(self, text: str) -> None:
        """Add one console entry."""
        self._job.console_append(text)

    def update_locals(self, **kwargs: Any) -> None:
        """Give the job more names. Raises CannotKeep."""
        self._job.add_locals(**kwargs)
