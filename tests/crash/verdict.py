"""What is wrong with a killed fleet that has finished: its store against the client's log and the outside world's.

Pure: takes what was read and gives sentences, none when everything is as it would be without a kill. The one idea:
every job's outcome depends on its number and on its doubts alone, so it can be worked out here.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tests.crash.reading import chain_of

Json = dict[str, Any]
RATE, TTL_US = 3, 2_000_000  # of the queue `brisk`: items in a second, longest wait
LATE_US = 1_000_000  # what a machine under load may need between choosing an item and making its job
UNSURE = ("send", "slowly", "thread", "hang", "claim")  # kinds of calls that may not be made again


class Case:
    """One finished run."""

    def __init__(
        self, found: Json, log: list[Any], outside: list[list[str]], dead: list[tuple[str, str]]
    ) -> None:  # fmt: skip
        """Take what the store says, the client's log, the outside world's lines, and queue and id of dead items."""
        self.jobs: Json = found["jobs"]
        self.ids: list[str] = found["ids"]
        self.found = found["found"]
        self.refused: list[Json] = found["refused"]
        self.tally: Json = found["tally"]
        self.tried = _by_kind(log, "try")
        self.acknowledged = _by_kind(log, "ack")
        self.outside = outside
        self.dead = Counter(dead)
        self.gone = {job for entry in log if entry[0] == "gone" for job in entry[1]}  # to be forgotten
        self.at_us = [(entry[1], entry[2], entry[3]) for entry in log if entry[0] == "try"]
        self.doubts = {text: why for text, _, why in (line.partition(" ") for line in self.tally["doubted"])}

    def wrong(self) -> list[str]:
        """Everything that is wrong."""
        return [
            *self._inputs(), *self._statuses(), *self._outside(), *self._store(), *self._pushes(), *self._outcomes(),
            *self._dead_items(), *self._brisk(),
        ]  # fmt: skip

    # -- what entered -----------------------------------------------------------------------------------------------

    def _inputs(self) -> Iterator[str]:
        yield from _twice("job", self.ids)
        forgotten = {f"brief/{number}" for number in self.tried["forget"]} | self.gone
        for kind in ("mixer", "waiter", "opener", "family", "chatty", "victim", "brief", "looper", "breaker", "rash"):
            for number in self.acknowledged[kind]:
                job_id = f"{kind}/{number}"
                if job_id not in self.jobs and job_id not in forgotten:
                    yield f"lost: {job_id} was acknowledged and is no job"
        for queue in ("numbers", "fragile"):
            for number in self.acknowledged[queue]:
                if f"{queue}:{number}" not in self.jobs.keys() | self.gone:
                    yield f"lost: item {queue}:{number} was acknowledged and is no job"
        for line in self.refused:
            is_late = line["kind"] == "item" and line["target"] == "brisk" and "longer than its ttl" in line["reason"]
            if line["kind"] in ("submit", "push", "item") and not is_late and line["target"] not in self.gone:
                yield f"refused: {line}"

    def _pushes(self) -> Iterator[str]:
        told = Counter(text for job in self.jobs.values() for text in job["told"] if text.startswith("note "))
        for job, note in self.acknowledged["push"]:
            if told[f"note {note}."] == 0 and f"chatty/{job}" not in self.gone:
                yield f"lost: note {note} to chatty/{job} was acknowledged and did not arrive"
        yield from (f"doubled: {text} arrived {times} times" for text, times in told.items() if times > 1)

    # -- jobs -------------------------------------------------------------------------------------------------------

    def _statuses(self) -> Iterator[str]:
        for status, ids in self.found.items():
            own = sorted(job_id for job_id, job in self.jobs.items() if job["status"] == status)
            if own != ids:
                yield f"index: find({status}) and the jobs differ in {sorted(set(own) ^ set(ids))[:5]}"
        for job_id, job in self.jobs.items():
            if job["status"] != "DONE":
                yield f"waits for ever: {job_id} is {job['status']} and waits for {job['waits']}"
            elif job["outcome"] == "poisoned":
                continue
            elif job["outcome"] not in self._may_end(job_id, job):
                yield f"outcome: {job_id} is {job['outcome']}: {job['error']} {job['console']}"

    def _may_end(self, job_id: str, job: Json) -> tuple[str, ...]:
        if job["agent"] in ("breaker", "looper"):
            return ("failed",)
        if job["agent"] == "victim" or job["parent"].startswith("victim/"):
            return ("cancelled",)
        if job["agent"] == "fragile":
            number = _number(job_id)
            is_first = job_id == f"fragile:{number}"
            return ("failed",) if number % 3 == 0 or (number % 3 == 1 and is_first) else ("ok",)
        return ("ok",)

    def _outcomes(self) -> Iterator[str]:
        for job_id, job in self.jobs.items():
            if job["outcome"] != "ok":
                continue
            expected = self._expected(job_id, job)
            if expected is not None and job["exit"] != expected:
                yield f"value: {job_id} gave {job['exit']}, should give {expected}"

    def _expected(self, job_id: str, job: Json) -> Any:
        number = _number(job_id)
        match job["agent"]:
            case "waiter" | "opener":
                return number * 7 + 1
            case "mixer":
                return self._mixed(job_id, number)
            case "family":
                kids = [100_000 + number * 10 + n for n in range(3)]
                return [sum(kid // 2 for kid in kids), "TaskError"]
            case "chatty":
                return "heard"
            case _:
                return None

    def _mixed(self, job_id: str, number: int) -> Json:
        generator = random.Random(job_id)
        sent = [f"m{number}.{n}" for n in range(4)]
        once = [self._gave(f"{text}.once") for text in sent]
        return {
            "draws": [generator.random() for _ in range(3)], "bag": sorted([*(f"sent {text}" for text in sent), *once]),
            "scaled": 2 * number, "later": True, "more": 9, "late": "?",
            "both": [self._gave(f"m{number}.slow"), self._gave(f"m{number}.thread")],
        }  # fmt: skip

    def _gave(self, text: str) -> str:
        return "?" if text in self.doubts else f"sent {text}"

    # -- what was done ----------------------------------------------------------------------------------------------

    def _outside(self) -> Iterator[str]:
        made = Counter((kind, text) for kind, text, _ in self.outside)
        for (kind, text), times in made.items():
            if times > 1 and kind in (*UNSURE, "release"):
                yield f"repeated: {kind} {text} was made {times} times"
        keys: dict[str, set[str]] = {}
        for kind, text, key in self.outside:
            if kind == "keyed":
                keys.setdefault(text, set()).add(key)
        yield from (f"keys: {text} was sent under {found}" for text, found in keys.items() if len(found) > 1)
        whys = {why for text, why in self.doubts.items() if not (text.endswith(".late") and why == "TimeoutError")}
        yield from (f"doubt: {why} is no OutcomeUnknown" for why in whys - {"OutcomeUnknown"})
        for number in self.acknowledged["numbers"]:
            if not made["send", f"n{number}"] and f"n{number}" not in self.doubts:
                yield f"missing: n{number} was neither sent nor doubted"
        yield from _twice("doubt", self.tally["doubted"])

    def _store(self) -> Iterator[str]:
        tally = self.tally
        ended = {job_id for job_id, job in self.jobs.items() if job["status"] == "DONE" and job["outcome"] == "ok"}
        own = {kind: {_number(job_id) for job_id in ended if job_id.startswith(f"{kind}/")} for kind in self.tried}
        for name in ("numbers", "halves", "briefs", "stamped", "direct", "steps"):
            yield from _twice(f"store: {name}", tally[name])
        numbers = {_number(job_id) for job_id in ended if job_id.startswith("numbers:")}
        yield from _missing("counted", numbers, tally["numbers"])
        yield from _missing("directly written", own["mixer"], tally["direct"])
        yield from _missing("brief", own["brief"], tally["briefs"])
        yield from _missing("stamped", {_number(job) for job in ended if job.startswith("brisk:")}, tally["stamped"])
        if tally["dared"]:
            yield f"store: what ran into its bound is not taken back: {tally['dared']}"
        total = sum(tally["numbers"]) + sum(tally["direct"])
        if tally["total"] != total:
            yield f"store: the total is {tally['total']}, its parts give {total}"
        if tally["chain"] != chain_of(tally["steps"]):
            yield "store: the chain is not that of its steps"
        steps = Counter(text[0] + text[1:].partition(".")[0] for text in tally["steps"])
        for kind in ("mixer", "waiter", "family"):
            yield from _missing(f"steps of {kind}", {f"{kind[0]}{number}" for number in own[kind]}, steps)
        tries: Counter[int] = Counter(tally["attempts"])
        for number in self.acknowledged["fragile"]:
            expected = {0: 3, 1: 2, 2: 1}[number % 3]
            if tries[number] != expected:
                yield f"retries: item {number} was tried {tries[number]} times, should be {expected}"

    # -- queues with rules ------------------------------------------------------------------------------------------

    def _dead_items(self) -> Iterator[str]:
        graves = {f"graves:fragile:{number}~3" for number in self.tried["fragile"] if number % 3 == 0}
        for number in self.acknowledged["fragile"]:
            if number % 3 == 0 and not self.dead["graves", f"graves:fragile:{number}~3"]:
                yield f"lost: item fragile:{number} failed for good and is no dead letter"
        found = {item for queue, item in self.dead if queue == "graves"}
        yield from (f"dead: {item} has no reason to be" for item in found - graves)

    def _brisk(self) -> Iterator[str]:
        """Each item in time or given up, never both; and no faster than the rate, however often the worker dies."""
        done = {*self.tally["stamped"], *(_number(job) for job in self.jobs if job.startswith("brisk:"))}
        for number in set(self.tried["brisk"]):
            is_dead = bool(self.dead["late", f"late:brisk:{number}"])
            if is_dead and number in done:
                yield f"doubled: item brisk:{number} was done and given up"
            if not is_dead and number not in done and number in self.acknowledged["brisk"]:
                yield f"lost: item brisk:{number} was neither done nor given up"
        made = sorted((job["created"], _number(name)) for name, job in self.jobs.items() if job["agent"] == "timely")
        for at_us, number in made:
            tries = [tried for kind, n, tried in self.at_us if kind == "brisk" and n == number]
            if not any(0 <= at_us - tried <= TTL_US + LATE_US for tried in tries):
                yield f"too old: brisk:{number} became a job {at_us - max(tries)} us after it was put in"
        times = [at_us for at_us, _ in made]
        for first in range(len(times)):
            for last in range(first + RATE + 1, min(len(times), first + 40)):
                if (last - first + 1) > RATE + 1 + (times[last] - times[first] + LATE_US / 4) * RATE / 1e6:
                    yield f"too fast: {last - first + 1} items of brisk within {times[last] - times[first]} us"
                    return


def _number(job_id: str) -> int:
    digits = job_id.replace(":", "/").partition("/")[2].partition(".")[0].partition("~")[0]
    return int(digits) if digits.isdecimal() else -1


def _twice(what: str, values: Iterable[Any]) -> Iterator[str]:
    yield from (f"doubled: {what} {value} x {times}" for value, times in Counter(values).items() if times > 1)


def _missing(what: str, wanted: Iterable[Any], there: Iterable[Any]) -> Iterator[str]:
    missing = sorted(set(wanted) - set(there))
    if missing:
        yield f"missing: {what}: {missing[:10]}"


def _by_kind(log: list[Any], what: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for entry in log:
        if entry[0] == what:
            found.setdefault(entry[1], []).append(entry[2])
    kinds = (
        "numbers", "fragile", "brisk", "mixer", "waiter", "opener", "family", "chatty", "push", "victim", "cancel",
        "brief", "forget", "looper", "breaker", "rash",
    )  # fmt: skip
    return {kind: found.get(kind, []) for kind in kinds}
