"""`StatekClientAPI`: submit work from Python, in the process that opened the store or beside a worker that holds it.

Without arguments it works on the store this process has open. With `store=PATH` it needs no dbzero at all: it appends
to the ledger beside the store, which is the acknowledgement, and a running worker takes it from there. Everything but
`submit_new_job` and `submit_new_jobs_batch` goes through the ledger in both cases: JSON data in, JSON data out.
"""

import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from statek.base.clock import Clock, SystemClock
from statek.base.rpc import remote
from statek.exceptions import LedgerError, NotApplied, StatekError, StoreError
from statek.ledger import inbox, metering, releases
from statek.ledger import submit as ledger_submit
from statek.ledger.file import LedgerFile
from statek.ledger.standing import Stand, Standing, require_reader, standing
from statek.runtime import delegation
from statek.runtime.loops import open_ledger
from statek.settings import get_statek_settings
from statek.store.session import Store
from statek.text.locale import resolve_locale
from statek.worker.poke import poke

POLL_SECONDS = 0.05
Inputs = dict[str, Any]
# Ids of jobs made by the application, by an event, or by a job: turn, statement and number behind its id.
_OF_CODE = re.compile(r"job-[0-9a-f]+|.+/event-.+|.+\.[0-9]+\.[0-9]+\.[0-9]+(~[0-9]+)?")
_own_ones: WeakValueDictionary[tuple[int, str], "StatekClientAPI"] = WeakValueDictionary()


class JobHandle:
    """A job as seen from outside of the worker, by what the ledger knows.

    Attributes:
        id: id of the job; submitting with the same id again is the same job.
    """

    def __init__(self, file: LedgerFile, job_id: str, clock: Clock) -> None:
        """Watch `job_id` in a ledger."""
        self._file = file
        self._clock = clock
        self.id = job_id

    def exists(self) -> bool:
        """Whether anybody ever submitted it. Jobs that other jobs began are known once they have ended."""
        return self._standing().stand is not Stand.UNKNOWN

    def status(self) -> str:
        """WAITING (acknowledged, not begun), TAKEN (the worker has it) or DONE; DONE once, a message may reopen it.

        Also WAITING while it waits for another try, and on a dead letter queue. A job that code began is TAKEN until
        its end. Raises NotApplied when nobody submitted it, or it was dropped from its queue.
        """
        stand = self._known().stand
        if stand in (Stand.TAKEN, Stand.UNKNOWN):
            return "TAKEN"
        return "DONE" if stand is Stand.ENDED else "WAITING"

    def wait(self, timeout: float | None = None) -> str:
        """The outcome: ok, failed, cancelled, poisoned, refused; of its last try, when it is tried more than once.

        Raises:
            TimeoutError: it has not ended after `timeout` seconds.
            NotApplied: nobody submitted it, or it was dropped from its queue.
        """
        return str(self._wait(timeout)["outcome"])

    def result(self, timeout: float | None = None) -> Any:
        """What the job gave to `exit`, as JSON data; None for nothing.

        Raises:
            TimeoutError: it has not ended after `timeout` seconds.
            NotApplied: nobody submitted it, or it was dropped from its queue.
            StatekError: it ended with another outcome than ok, or its result is no JSON data.
        """
        said = self._wait(timeout)
        if said["outcome"] != "ok":
            raise StatekError(f"job {self.id} ended {said['outcome']}: {said.get('error') or 'no reason is known'}")
        if "resultType" in said:
            raise StatekError(
                f"the result of job {self.id} is no JSON data of bounded size ({said['resultType']})",
                hint="read it in the process that has the store, or let the agent exit with text, numbers, lists",
            )
        return said.get("result")

    def told(self) -> dict[str, Any] | None:
        """What is known of the end: `outcome`, `error`, `result` or `resultType`; None before the end."""
        told = self._standing().told
        return None if told is None else dict(told)

    def push(self, text: str, *, key: str | None = None) -> None:
        """Send the job a message; with a `key` once, however often.

        Raises NotApplied when nobody submitted it, and when nobody will read it. One to a job that code began, and
        that is not there, is refused by the worker.
        """
        found = self._known()
        require_reader(found)
        ledger_submit.push(self._file, found.id, text, at_us=self._clock.now_us(), key=key)
        poke(self._file.path.parent)

    def cancel(self) -> bool:
        """Ask for the job's end. False: it has ended, or that was asked before. Raises NotApplied when unknown."""
        found = self._known()
        if found.told is not None:
            return False
        require_reader(found)
        if not ledger_submit.cancel(self._file, found.id, at_us=self._clock.now_us()):
            return False
        poke(self._file.path.parent)
        return True

    def _wait(self, timeout: float | None) -> dict[str, Any]:
        end = None if timeout is None else self._clock.monotonic() + timeout
        while (found := self._known()).told is None:
            if end is not None and self._clock.monotonic() > end:
                raise TimeoutError(f"job {self.id} has not ended after {timeout:g} s")
            time.sleep(POLL_SECONDS)
        return dict(found.told)

    def _known(self) -> Standing:
        """Raises NotApplied for what nobody submitted; what code may have begun, the worker knows."""
        found = self._standing()
        if found.stand is Stand.UNKNOWN and not _begun_by_code(self.id):
            hint = "it was never submitted, or was dropped since; `statek ps --all` lists jobs"
            raise NotApplied(f"there is no job {self.id!r}", hint=hint)
        return found

    def _standing(self) -> Standing:
        return standing(self._file, self.id)

    def __repr__(self) -> str:
        return f"<job {self.id}>"


class StatekClientAPI:
    """Submits jobs, tells them something and looks after them. One for each thread.

    Without `store` a thread always gets the same one for the same open store.

    Args:
        store: folder or file of a store that a worker holds, or its ledger; None: the setting STATEK_STORE, else the
            store this process has open.
    """

    def __new__(cls, store: str | Path | None = None) -> "StatekClientAPI":
        """The one that this thread has of the open store, or a new one."""
        key = _own_key() if store is None and get_statek_settings().store is None else None
        found = _own_ones.get(key) if key is not None else None
        if found is None:
            found = super().__new__(cls)
            if key is not None:
                _own_ones[key] = found
        return found

    def __init__(self, store: str | Path | None = None) -> None:
        """Raises StoreError or LedgerError when `store` has no ledger."""
        if hasattr(self, "_clock"):
            return  # made before
        chosen = store if store is not None else get_statek_settings().store
        self._clock: Clock = SystemClock()
        self._file = LedgerFile.open(find_ledger(Path(chosen))) if chosen is not None else None
        self._own: LedgerFile | None = None  # of the store that this process has open
        self._release: releases.Release | None = None

    @property
    def ledger_path(self) -> Path:
        """The ledger's file. Raises StoreError when this process has no store open, or one without a ledger."""
        return self._ledger().path

    @remote
    def submit_new_job(
        self, agent: Any, shared_vars: dict[str, Any] | None = None, locale: Any = None, **kwargs: Any
    ) -> Any:
        """Start a job of `agent`; durable on return.

        Args:
            agent: the agent, or (beside a worker) its role.
            shared_vars: names and values of the job; beside a worker JSON data.
            locale: `LANG-COUNTRY`, such as `EN-US`.
            **kwargs: prompt parameters; beside a worker JSON data.

        Returns:
            The Job, or a JobHandle beside a worker.

        Raises:
            BadInputs: a locale or prompt parameters for an agent from a file, which takes inputs only.
        """
        return self.submit_new_jobs_batch(agent, [shared_vars or {}], locale, **kwargs)[0]

    @remote
    def submit_new_jobs_batch(
        self, agent: Any, shared_vars_batch: Iterable[dict[str, Any]], locale: Any = None, **kwargs: Any
    ) -> list[Any]:
        """One job per entry, in one commit; see `submit_new_job`."""
        if self._file is not None:
            return self._append(agent, list(shared_vars_batch), locale, kwargs)
        return delegation.submit_new_jobs_batch(agent, shared_vars_batch, locale, **kwargs)

    def submit(self, agent: str, inputs: Inputs | None = None, *, id: str | None = None) -> JobHandle:  # noqa: A002
        """Start a job of `agent` with JSON data; durable on return. With the same `id` it is the same job.

        Raises:
            NotApplied: no such agent.
            BadInputs: the inputs do not fit; nothing was written.
        """
        return self.submit_batch(agent, [inputs or {}], ids=[id])[0]

    def submit_batch(
        self, agent: str, batch: Sequence[Inputs], *, ids: Sequence[str | None] = (), places: Sequence[str] = ()
    ) -> list[JobHandle]:
        """One job for each entry, all or none. Raises as `submit`.

        Args:
            agent: its name.
            batch: the inputs of each job.
            ids: in the same order; None: one of our own.
            places: what each entry is called in messages.
        """
        file = self._ledger()
        done = self._write(file, agent, batch, ids, places)
        poke(file.path.parent)
        return [JobHandle(file, job_id, self._clock) for job_id in done]

    def put(
        self, queue: str, items: Sequence[Any], *, key: str | None = None, places: Sequence[str] = ()
    ) -> ledger_submit.Submitted:
        """Put items on a queue; durable on return. Raises NotApplied, BadInputs, QueueFull; then nothing was written.

        Args:
            queue: its name.
            items: JSON data.
            key: dotted path of the field that identifies an item; None: what the queue says.
            places: what each item is called in messages.
        """
        file = self._ledger()
        target = ledger_submit.Target("Queue", queue)
        release = self._head(file)
        if release is None:
            raise NotApplied(f"there is no queue {queue!r}: no release is applied", hint="run `statek apply`")
        now = self._clock.now_us()
        done = ledger_submit.submit(file, release, target, items, at_us=now, key=key, places=places)
        poke(file.path.parent)
        return done

    def job(self, id: str) -> JobHandle:  # noqa: A002 - what it is called everywhere
        """The job of this id, whether there is one or not (`exists`)."""
        return JobHandle(self._ledger(), id, self._clock)

    def push(self, id: str, text: str, *, key: str | None = None) -> None:  # noqa: A002
        """Send a job a message; see `JobHandle.push`."""
        self.job(id).push(text, key=key)

    def cancel(self, id: str) -> bool:  # noqa: A002
        """Ask for a job's end; see `JobHandle.cancel`."""
        return self.job(id).cancel()

    def usage(self, by: str = "agent", since: str | None = None) -> list[metering.Sum]:
        """Tokens and money by "agent", "model" or "day" (UTC), from the day `since` (`2026-01-31`) on.

        Raises StatekError for another word or a `since` that is no day.
        """
        return metering.usage(self._ledger(), metering.check_by(by), metering.check_day(since))

    def agent_of(self, job_id: str) -> str | None:
        """The agent that a submitted job is or will be of, by its id and the applied release; None: nobody knows."""
        queue, colon, _ = job_id.partition(":")
        if colon and "/" not in queue:
            release = self._head(self._ledger())
            entry = release.objects.get(f"Queue/{queue}") if release is not None else None
            if release is None or entry is None:
                return None
            return ledger_submit.find_queue(release, queue).agent
        return job_id.partition("/")[0] if "/" in job_id else None

    def close(self) -> None:
        """Close the ledger. Harmless when repeated."""
        for file in (self._file, self._own):
            if file is not None:
                file.close()
        self._own = None

    def _ledger(self) -> LedgerFile:
        if self._file is not None:
            if not self._file.is_in_place:  # a backup was restored since
                before, self._file = self._file, LedgerFile.open(self._file.path)
                before.close()
            return self._file
        if self._own is None:
            self._own = open_ledger(Store.attach(), get_statek_settings())
            if self._own is None:
                raise StoreError("the store of this process has no ledger", hint="set STATEK_LEDGER to a file for it")
        return self._own

    def _head(self, file: LedgerFile) -> releases.Release | None:
        """The release at head, read once for each; None when nothing was ever applied."""
        head = releases.head(file)
        if head is None:
            return None
        if self._release is None or self._release.id != head.release:
            self._release = releases.read_release(file, head.release)
        return self._release

    def _append(self, agent: Any, batch: list[Inputs], locale: Any, params: Inputs) -> list[JobHandle]:
        file, role = self._ledger(), agent if isinstance(agent, str) else agent.role
        if not params and locale is None:
            return self.submit_batch(role, batch)
        if self._head(file) is not None:
            said = f"agent '{role}' is declared in a file: it takes inputs, no locale or prompt parameters"
            raise ledger_submit.BadInputs([said])
        more = {"params": params, "locale": None if locale is None else str(resolve_locale(locale))}
        done = self._write_unchecked(file, role, batch, (), more)
        poke(file.path.parent)
        return [JobHandle(file, job_id, self._clock) for job_id in done]

    def _write(
        self, file: LedgerFile, role: str, batch: Sequence[Inputs], ids: Sequence[str | None], places: Sequence[str]
    ) -> Sequence[str]:
        release = self._head(file)
        if release is None:
            return self._write_unchecked(file, role, batch, ids)
        target = ledger_submit.Target("Agent", role)
        now = self._clock.now_us()
        return ledger_submit.submit(file, release, target, batch, at_us=now, keys=ids, places=places).ids

    def _write_unchecked(
        self,
        file: LedgerFile,
        role: str,
        batch: Sequence[Mapping[str, Any]],
        ids: Sequence[str | None],
        more: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """For agents made in Python: the worker finds them by role, and refuses what it does not know."""
        now, names = self._clock.now_us(), ids or [None] * len(batch)
        entries = [
            inbox.NewEntry(
                ledger_submit.random_id(role) if name is None else ledger_submit.named_id(f"{role}/", name),
                inbox.InputKind.SUBMIT, role, {"inputs": dict(inputs), **(more or {})}, now,
            )
            for inputs, name in zip(batch, names, strict=True)
        ]  # fmt: skip
        inbox.append(file, entries)
        return [entry.id for entry in entries]


def _begun_by_code(job_id: str) -> bool:
    """Whether it may be a job that no input made, which the ledger knows only once it has ended."""
    return _OF_CODE.fullmatch(job_id) is not None


def _own_key() -> tuple[int, str] | None:
    """Thread and file of the store that this process has open; None when there is none."""
    try:
        file = Store.attach().file
    except StoreError:
        return None
    return None if file is None else (threading.get_ident(), str(file))


def find_ledger(path: Path) -> Path:
    """The ledger of a store given by its folder or its file. Raises StoreError or LedgerError naming what was tried."""
    if path.suffix == ".sqlite":
        return path
    if path.suffix == ".db0":
        found = [path.with_name(f"{path.stem}.ledger.sqlite"), path.with_name("ledger.sqlite")]
        present = [file for file in found if file.exists()]
    elif path.is_dir():
        present = [path / "ledger.sqlite"] if (path / "ledger.sqlite").exists() else list(path.rglob("*.ledger.sqlite"))
    else:
        raise StoreError(f"there is no store at {path}", hint="give the folder of the store, or its .db0 file")
    if len(present) != 1:
        names = ", ".join(str(file) for file in present) or "none"
        raise LedgerError(f"one ledger was expected beside the store {path}, found: {names}")
    return present[0]
