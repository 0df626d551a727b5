"""Which waiting items become jobs now: order, keys, rate, age, bounds, pauses, and another try after a failure.

Decides; the pass acts on what is chosen, and the ledger keeps it. A choice is never made again on replay: what was
taken in stands in the records, what failed and waits for another try in the inbox, the state of a rate beside them,
each written in the transaction of what it follows from. The one idea: a pass looks at what has come in since the last
one, never at all that waits. Not here: jobs that exist but have not begun (`newcomers`).
"""

import heapq
import json
import logging
import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from statek.ledger import compiled, inbox, items
from statek.ledger import inputs as declared_inputs
from statek.ledger.file import LedgerFile
from statek.ledger.inbox import Entry, InputKind
from statek.ledger.items import Tries
from statek.ledger.records import Kind, Records, input_key, pack, said_key
from statek.runtime import subtasks, told
from statek.runtime.catalog import Catalog
from statek.runtime.lines import Line, Turn
from statek.runtime.ready import Vacancy

LOOKED_AT = 20_000  # new entries of the inbox that one pass looks at
EXPIRED_AT_ONCE = 200
log = logging.getLogger(__name__)


@dataclass
class Choice:
    """What may be taken in now.

    Attributes:
        entries: items and submissions that become jobs.
        given_up: items that never will, each with the reason.
    """

    entries: list[Entry] = field(default_factory=list)
    given_up: list[tuple[Entry, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Bucket:
    """How many items a rate lets through at once, at a time."""

    level: float
    at_us: int

    def at(self, rate: compiled.Rate, now_us: int) -> "Bucket":
        """Filled up as time has passed."""
        passed = max(0, now_us - self.at_us)
        level = min(float(rate.count), self.level + passed * rate.count / rate.period_us)
        return Bucket(level, max(now_us, self.at_us))

    def full_at_us(self, rate: compiled.Rate) -> int:
        """When there is room for one."""
        return self.at_us + math.ceil(max(0.0, 1.0 - self.level) * rate.period_us / rate.count)


class Admission:
    """The waiting items of all queues, and what decides about them."""

    def __init__(self, ledger: LedgerFile, records: Records, catalog: Catalog) -> None:
        """Know nothing yet: the first `look` reads what waits."""
        self.ledger = ledger
        self.records = records
        self._catalog = catalog
        self._lines: dict[str, Line] = {}
        self._jobs: dict[str, tuple[str, str | None]] = {}  # unfinished jobs of queues, with their keys
        self._later: list[tuple[int, int, str, str, str | None]] = []  # due, place, kind, target, key
        self._expiry: dict[str, int] = {}  # queue -> when its oldest item is too old
        self._buckets: dict[str, Bucket] = {}
        self._spent: set[str] = set()
        self._turns: deque[str] = deque()
        self.seen = 0  # the last place of the inbox that was looked at
        self._known: str | None = None  # the release
        self.next_due_us: int | None = None

    # -- what has come in -------------------------------------------------------------------------------------------

    def look(self) -> bool:
        """Note what has come in since the last look; False when there is more than one look takes."""
        if self._known != self._catalog.release:
            self._start_anew()
        last = inbox.last(self.ledger)
        if last == self.seen:
            return True
        found = inbox.arrivals(self.ledger, self.seen, LOOKED_AT)
        for n, kind, target in found:
            if kind == InputKind.ITEM:
                self._note_item(n, str(target))
            elif kind in items.AGAIN:
                self._note_later(n)
        self.seen = found[-1][0] if len(found) == LOOKED_AT else last
        return len(found) < LOOKED_AT

    def _start_anew(self) -> None:
        """Another release: queues may have other rules, by which all that waits is looked at once more."""
        self._known = self._catalog.release
        self._lines = {name: Line(queue) for name, queue in self._catalog.queues.items()}
        self._turns = deque(name for name in self._lines if self._is_served(name))
        self._later, self._expiry, self.seen = [], {}, 0
        jobs, self._jobs = self._jobs, {}
        for job_id, (name, _) in jobs.items():
            self.add_job(job_id, name)
        for name, queue in self._catalog.queues.items():
            if queue.ttl_us is not None:
                self._read_expiry(name, queue.ttl_us)

    def _is_served(self, name: str) -> bool:
        queue, fleet = self._catalog.queues[name], self._catalog.fleet
        return queue.agent is not None and not queue.paused and (
            fleet is None or not fleet.queues or name in fleet.queues
        )  # fmt: skip

    def _note_item(self, n: int, name: str) -> None:
        line = self._lines.get(name)
        if line is None:
            return  # its queue is not in the release; a release that has it looks again
        line.note(self.ledger, n)
        if line.queue.ttl_us is not None and name not in self._expiry:
            self._read_expiry(name, line.queue.ttl_us)

    def _note_later(self, n: int) -> None:
        entry = inbox.at(self.ledger, n)
        if entry is None:
            return
        name, key = str(entry.target), None
        line = self._lines.get(name) if entry.kind == InputKind.ITEM_AGAIN else None
        if line is not None:
            key = items.key_of(line.queue, entry.body["item"])
            if key is not None:
                line.later_of_key[key] += 1
        heapq.heappush(self._later, (items.tries_of(entry).due_us, n, entry.kind, name, key))

    def _read_expiry(self, name: str, ttl_us: int) -> None:
        found = inbox.waiting(self.ledger, kinds=[InputKind.ITEM], target=name, limit=1)
        if found:
            self._expiry[name] = found[0].at_us + ttl_us + 1
        else:
            self._expiry.pop(name, None)

    # -- jobs of queues ---------------------------------------------------------------------------------------------

    def add_job(self, job_id: str, queue: str) -> None:
        """There is an unfinished job of that queue."""
        if job_id in self._jobs:
            return
        line = self._lines.get(queue)
        key = self._key_of_job(line.queue, job_id) if line is not None else None
        self._jobs[job_id] = (queue, key)
        if line is not None:
            line.begins(key)

    def end_job(self, job_id: str) -> None:
        """It has ended, or never became one."""
        queue, key = self._jobs.pop(job_id, ("", None))
        line = self._lines.get(queue)
        if line is not None:
            line.ends(key)

    def _key_of_job(self, queue: compiled.Queue, job_id: str) -> str | None:
        if queue.key is None:
            return None
        found = self.records.get(input_key(job_id))
        return items.key_of(queue, inbox.taken(found).body.get("item")) if found is not None and found.body else None

    # -- choosing ---------------------------------------------------------------------------------------------------

    def choose(self, now_us: int, vacancy: Vacancy, limit: int) -> Choice:
        """What may be taken in now; `next_due_us` is when to look again at the latest.

        Args:
            now_us: the time.
            vacancy: how many jobs of what may begin.
            limit: at most so many.
        """
        choice = Choice()
        self.next_due_us = None
        self._expire(now_us, choice)
        self._ripen(now_us, choice)
        taking = deque(self._turns)
        while taking and len(choice.entries) < limit:
            name = taking.popleft()
            agent = str(self._lines[name].queue.agent)
            if vacancy.has(name, agent) and self._take_next(name, now_us, choice):
                vacancy.take(name, agent)
                taking.append(name)
        self._turns.rotate(-1)
        self._later_due(min(self._expiry.values(), default=None))
        self._later_due(self._later[0][0] if self._later else None)
        return choice

    def write(self) -> None:
        """Keep the state of the rates, in the transaction of what was chosen."""
        for name in self._spent:
            bucket = self._buckets[name]
            self.ledger.set_meta(f"rate {name}", json.dumps([bucket.level, bucket.at_us]))
        self._spent.clear()

    def _later_due(self, due_us: int | None) -> None:
        if due_us is not None and (self.next_due_us is None or due_us < self.next_due_us):
            self.next_due_us = due_us

    def _take_next(self, name: str, now_us: int, choice: Choice) -> bool:
        """Choose one item of this queue; False when none may go on."""
        line = self._lines[name]
        most = line.queue.concurrency
        if most is not None and line.unfinished >= most:
            return False
        while (turn := line.next(self.ledger)) is not None:
            entry = inbox.at(self.ledger, turn.n)
            wrong = None if entry is None else self._misfit(line.queue, entry, now_us)
            if entry is None or wrong is not None:
                if turn.key is not None:
                    line.release(turn.key)
                if entry is not None and wrong is not None:
                    choice.given_up.append((entry, wrong))
                continue
            if not self._may_spend(line.queue, now_us):
                line.put_back(turn)
                return False
            self._chosen(line, turn, entry, choice)
            return True
        return False

    def _chosen(self, line: Line, turn: Turn, entry: Entry, choice: Choice) -> None:
        choice.entries.append(entry)
        self._jobs[entry.id] = (line.queue.name, turn.key)
        line.begins(turn.key)
        if line.queue.ttl_us is not None:
            self._expiry[line.queue.name] = 0  # read again: it may have been the oldest

    def _misfit(self, queue: compiled.Queue, entry: Entry, now_us: int) -> str | None:
        """Why this item will never be a job."""
        tries = items.tries_of(entry)
        if queue.ttl_us is not None and now_us - tries.at_us > queue.ttl_us:
            return _too_old(queue.ttl_us)
        agent = self._catalog.agents.get(str(queue.agent))
        if agent is None:
            return None
        wrong = declared_inputs.check_inputs(agent, items.inputs_of(queue, entry.body["item"]))
        return f"inputs of {agent.name}: {'; '.join(wrong)}" if wrong else None

    def _may_spend(self, queue: compiled.Queue, now_us: int) -> bool:
        if queue.rate is None:
            return True
        bucket = self._bucket(queue.name, queue.rate, now_us).at(queue.rate, now_us)
        if bucket.level < 1.0 - 1e-9:
            self._later_due(bucket.full_at_us(queue.rate))
            return False
        self._buckets[queue.name] = Bucket(bucket.level - 1.0, bucket.at_us)
        self._spent.add(queue.name)
        return True

    def _bucket(self, name: str, rate: compiled.Rate, now_us: int) -> Bucket:
        if name not in self._buckets:
            found = self.ledger.rows("SELECT value FROM meta WHERE name = ?", f"rate {name}")
            level, at_us = json.loads(found[0][0]) if found else (float(rate.count), now_us)
            self._buckets[name] = Bucket(level, at_us)
        return self._buckets[name]

    def _expire(self, now_us: int, choice: Choice) -> None:
        for name, due_us in list(self._expiry.items()):
            ttl_us = self._lines[name].queue.ttl_us
            if due_us > now_us or ttl_us is None:
                continue
            self._read_expiry(name, ttl_us)
            if self._expiry.get(name, now_us + 1) > now_us:
                continue
            found = inbox.waiting(self.ledger, kinds=[InputKind.ITEM], target=name, limit=EXPIRED_AT_ONCE)
            old = [entry for entry in found if now_us - entry.at_us > ttl_us]
            choice.given_up += [(entry, _too_old(ttl_us)) for entry in old]

    def _ripen(self, now_us: int, choice: Choice) -> None:
        """What waited for another try and whose time has come."""
        while self._later and self._later[0][0] <= now_us:
            _, n, kind, name, key = heapq.heappop(self._later)
            entry, line = inbox.at(self.ledger, n), self._lines.get(name)
            if kind == InputKind.SUBMIT_AGAIN:
                choice.entries += [entry] if entry is not None else []
                continue
            if line is None:
                continue
            if key is not None:
                line.later_of_key[key] -= 1
            if entry is not None:
                line.add(entry, is_again=True)
            elif key is not None:
                line.release(key)

    # -- moves ------------------------------------------------------------------------------------------------------

    def give_up(self, entry: Entry, reason: str) -> Entry:
        """Take an item in that becomes no job: to the dead letter queue, else refused. The entry as recorded.

        Raises NoLongerWaiting when it has left; the transaction can go on.
        """
        queue = self._catalog.queues.get(str(entry.target))
        dead = self._dead_letter(queue)
        tries = items.tries_of(entry)
        if inbox.at(self.ledger, entry.n) is None:
            raise inbox.NoLongerWaiting(f"item {entry.id!r} has left the inbox since it was read")
        moved = dead is not None and items.bury(
            self.ledger, dead, str(entry.target), entry.body["item"], tries, reason
        )  # fmt: skip
        decided = {"moved": dead.name} if dead is not None and moved else {"refused": reason}
        body = {**entry.body, **decided}
        inbox.take(self.ledger, self.records, entry, body)
        if dead is not None and moved:
            reason = f"{reason}; it is on the dead letter queue '{dead.name}' as {items.dead_id(dead, tries)}"
        self.records.put(Kind.SAID, said_key(entry.id, 0), pack(told.refused(reason)))
        return replace(entry, body=body)

    def after_end(self, job: Any) -> None:
        """A job has ended: if it failed, its item waits for another try or goes to the dead letter queue.

        Inside the transaction that records the end; only the first end of a job counts. A child's next try takes its
        place at its parent (`subtasks`).
        """
        if job.outcome not in subtasks.FAILED or job.num_completions:
            return
        if job.parent_id:
            self._after_child(job)
            return
        queue = self._catalog.queues.get(job.queue) if job.queue else None
        retry = self._retry_of(queue, job)
        entry = self._entry_of(job, queue)
        if entry is None:
            return
        reason = job.error.error_message if job.error is not None else job.outcome
        tries = _after(items.tries_of(entry), job, reason)
        made = tries.number - tries.base
        if retry is not None and made < retry.max_attempts:
            due_us = job.ended_us + items.wait_us(retry, made)
            kind = InputKind.ITEM_AGAIN if job.queue else InputKind.SUBMIT_AGAIN
            content = {name: entry.body[name] for name in ("item", "inputs") if name in entry.body}
            again = replace(tries, number=tries.number + 1, due_us=due_us)
            items.put_again(self.ledger, kind, str(entry.target), content, again)
            return
        dead = self._dead_letter(queue)
        if dead is not None and not items.bury(
            self.ledger, dead, job.queue, entry.body["item"], tries, f"{job.outcome}: {reason}"
        ):
            log.error("item %s failed for good, and its dead letter queue %s is full", job.id, dead.name)

    def _after_child(self, job: Any) -> None:
        if not subtasks.is_open(job):
            return
        retry = self._catalog.of(job).spec.retry  # type: ignore[union-attr]  # it has one, or it were not open
        found = self.records.get(input_key(job.id))
        entry = inbox.taken(found) if found is not None and found.body else None
        first, number = items.first_and_number(job.id)
        before = items.tries_of(entry) if entry is not None else Tries(first, number, 0, 0, job.created_us, ())
        reason = job.error.error_message if job.error is not None else job.outcome
        due_us = job.ended_us + items.wait_us(retry, number)
        again = replace(_after(before, job, reason), number=number + 1, due_us=due_us)
        content = {"inputs": job.inputs, "child": job.id}
        items.put_again(self.ledger, InputKind.SUBMIT_AGAIN, job.agent.role, content, again)

    def _dead_letter(self, queue: compiled.Queue | None) -> compiled.Queue | None:
        return self._catalog.queues.get(queue.dead_letter) if queue is not None and queue.dead_letter else None

    def _retry_of(self, queue: compiled.Queue | None, job: Any) -> compiled.Retry | None:
        """The queue's own policy, else that of the agent."""
        if queue is not None and queue.retry.max_attempts > 1:
            return queue.retry
        agent = self._catalog.agents.get(job.agent.role)
        return agent.retry if agent is not None else None

    def _entry_of(self, job: Any, queue: compiled.Queue | None) -> Entry | None:
        """The input this job was made of; from its own inputs when the record was pruned."""
        found = self.records.get(input_key(job.id))
        if found is not None and found.body:
            entry = inbox.taken(found)
            return entry if entry.kind in inbox.TO_BE_JOBS else None
        if found is None:
            return None  # made by the application, not by an input
        kind = InputKind.ITEM if job.queue else InputKind.SUBMIT
        first, number = items.first_and_number(job.id)
        item = job.inputs if queue is None or queue.deliver_as is None else job.inputs[queue.deliver_as]
        tries = Tries(first, number, 0, 0, job.created_us, ())
        body = {"item" if job.queue else "inputs": item, "tries": tries.to_json()}
        return Entry(found.seq, job.id, kind, job.queue or job.agent.role, body, job.created_us)

    def has_more(self) -> bool:
        """Does anything wait that will become a job by itself, now or later?"""
        waiting = inbox.depths(self.ledger, *inbox.ITEMS)
        return any(name in waiting for name in self._turns) or inbox.depth(self.ledger, InputKind.SUBMIT_AGAIN) > 0


def _after(tries: Tries, job: Any, reason: str) -> Tries:
    failure = {"job": job.id, "outcome": job.outcome, "reason": reason[:500], "atUs": job.ended_us}
    return replace(tries, failures=(*tries.failures, failure))


def _too_old(ttl_us: int) -> str:
    return f"waited longer than its ttl of {ttl_us / 1_000_000:g} s"
