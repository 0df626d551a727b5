"""One job's code under way in this process: parts of a turn, statement by statement, from the stored place on.

`LiveJob.run` goes on until they end, exit, wait for a child, or want an outside call; the code runs in a greenlet so
that an outside call can leave in the middle of any expression and come back with its result. What the job would need to
go on after a crash is in `stored_place`: the names at the start of the statement in progress, and the journal of that
statement. Its names are in `keeping`, what crosses their border in `calling`. Not here: choosing jobs, performing
outside calls, the ledger.
"""

from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from greenlet import greenlet

from statek.base.nearest import did_you_mean
from statek.exceptions import Abandoned, CannotKeep, Diverged
from statek.runtime.calling import Calling
from statek.runtime.crossings import Journal, Outcome
from statek.runtime.endings import CallWish, Ended, Ending, ExitedWith, Waits
from statek.runtime.environment import Environment, Offered
from statek.runtime.offer import Part
from statek.sandbox import keep, restrict, runner
from statek.sandbox.policy import Policy
from statek.store import current
from statek.store.chat import ChatItem
from statek.store.job import load_console
from statek.store.stage import PART


class LiveJob(Calling):
    """The running side of one job. One stretch at a time; `job` is the stored side."""

    def __init__(self, job: Any, environment: Environment, policy: Policy) -> None:
        """Take up a job where its stored place says."""
        environment.live = self  # reading the names asks it
        super().__init__(job, environment, policy)
        self._greenlet: greenlet | None = None
        self.wish: CallWish | None = None
        self.stands_still = False  # in the middle of an expression that waits for a child

    def run(self, parts: Sequence[Part]) -> Ending:
        """Run parts from the stored place on.

        Raises:
            Signal: a bound was reached or the record diverged.
        """
        self._greenlet = greenlet(lambda: self._run_parts(parts))
        context = copy_context()
        self._greenlet.gr_context = context
        return self._switch(None)

    def deliver(self, outcome: Outcome) -> Ending:
        """Go on with the result of the outside call that was wished for."""
        assert self.wish is not None
        self.wish = None
        return self._switch(outcome)

    def go_on(self) -> Ending:
        """Go on where the code stands still: what it waits for is looked at again."""
        return self._switch(None)

    def abandon(self) -> None:
        """Forget the running side; nothing is lost, the stored place is enough to go on."""
        running, self._greenlet = self._greenlet, None
        if running is not None and not running.dead:
            self._pausing = Abandoned()  # so that `finally` and `with` of the job's code do nothing on the way out
            running.throw()
        self.environment.live = None

    def _switch(self, value: Outcome | None) -> Ending:
        assert self._greenlet is not None
        ending: Ending = self._greenlet.switch(value) if value is not None else self._greenlet.switch()
        if isinstance(ending, CallWish):
            self.wish = ending
        self.stands_still = isinstance(ending, Waits) and not self._greenlet.dead
        return ending

    def stored_place(self) -> tuple[keep.Kept, int, Journal]:
        """Names, statement and journal from which the work can go on."""
        kept = self._kept if self._kept is not None else self._keep()
        return kept, self.statement, self.journal

    # -- parts and statements ---------------------------------------------------------------------------------------

    def _run_parts(self, parts: Sequence[Part]) -> Ending:
        with current.running(self.job, self.scene):
            for number in range(self.statement // PART, len(parts)):
                ending = self._run_part(parts[number], number)
                if ending is not None:
                    return ending
            return Ended()

    def _run_part(self, part: Part, number: int) -> Ending | None:
        if self.statement == number * PART and not self._restored:
            self._begin_part(part)
        self._is_hidden = part.hidden
        refused = part.error or self._uncallable(part.tool)
        if refused:
            self.write(refused)
            return self._finish_part(part, number, failed=True)
        try:
            source = restrict.with_placeholders(part.code) if self.lazy else part.code
            block = restrict.compile_block(source, self._policy)
        except restrict.SourceRefused as error:
            return self._refuse(error, part, number)
        for statement in block.statements[self.statement - number * PART :]:
            is_formal = bool(part.tool) or self.statement - number * PART < part.calls
            # a formal call that gives nothing says nothing
            outcome = self._run_statement(replace(statement, quiet=True) if is_formal else statement)
            if isinstance(outcome, runner.Failed) and is_formal and part.call is None:
                continue
            if isinstance(outcome, runner.Failed) and part.call is not None:
                return self._finish_part(part, number, failed=True)
            if not isinstance(outcome, runner.Finished):
                return self._ending(outcome)
        return self._finish_part(part, number)

    def _finish_part(self, part: Part, number: int, *, failed: bool = False) -> Ending | None:
        """Go on with the next part: calls of one answer know nothing of each other, so one's failure is its own."""
        too_large = self._drop_lost()
        self.statement = (number + 1) * PART
        self.end_part(part, failed=failed or bool(too_large))
        return Ended(failed=too_large) if too_large and part.call is None else None

    def _uncallable(self, name: str) -> str:
        """Why a formal call of that name is not made; empty for one that is."""
        found = self.environment.builtins.get(name)
        tool = found.tool if isinstance(found, Offered) else None
        if tool is not None and tool.hidden and not tool.exposed:
            return f"NameError: tool {name!r} is not exposed"
        if tool is not None and name in self.names:
            return f"NameError: {name!r} is a variable of this job, which hides the tool; `del {name}` first"
        if not name or callable(found) or callable(self.names.get(name)):
            return ""
        tools = (n for n, v in self.environment.builtins.items() if isinstance(v, Offered) and not v.tool.hidden)
        return f"NameError: there is no tool {name!r}{did_you_mean(name, tools, also='there are')}"

    def _begin_part(self, part: Part) -> None:
        if self.job.turn == 0:
            item = ChatItem("warmup", self.clock_us, len(self.job.console_log), part.code, hidden=part.hidden)
            self.job.append_chat(item)

    def end_part(self, part: Part, note: str = "", *, failed: bool = False) -> None:
        """Answer a formal call with what was printed since the last one (or with `note`)."""
        if part.call is None:
            return
        start = next(item.console_pos for item in reversed(self.job.records) if item.kind in ("answer", "tool"))
        text = note or "\n".join(load_console(self.job, start))
        end = len(self.job.console_log)
        self.job.append_chat(ChatItem("tool", self.clock_us, end, text, call_id=part.call, error=failed))

    def _refuse(self, error: restrict.SourceRefused, part: Part, number: int) -> Ending | None:
        first = error.problems[0]
        kind = "SyntaxError" if first.code == "STK401" else "Refused"
        text = f"{kind}: {first.message} (line {first.line})"
        self.write(text)
        return Ended(failed=text) if part.call is None else self._finish_part(part, number, failed=True)

    def _run_statement(self, statement: restrict.Statement) -> runner.Outcome:
        if self._kept is None and (too_large := self._settle()):
            return runner.Failed(CannotKeep(too_large), too_large)
        assert self._kept is not None
        self._pausing = None
        self.scene.place = f"{self.job.turn}.{self.statement}"
        outcome = self._put_values() or runner.run_statement(statement, self.names, self.environment)
        if isinstance(outcome, runner.Suspended):
            self._check_wait()
            return outcome
        left = self.journal.unmatched()
        if left:
            raise Diverged(f"run again, the statement did not make its earlier call of {left[0]}")
        if isinstance(outcome, runner.Failed):
            outcome = self._explained(outcome)
            self.write(outcome.text)
        self._end_statement()
        return outcome

    def _end_statement(self) -> None:
        if self._values:
            self._values.stand_in(self.names)
        self.journal = Journal()
        self._restored = False
        self.statement += 1
        self._before, self._kept = self._kept, None

    def _ending(self, outcome: runner.Outcome) -> Ending:
        match outcome:
            case runner.Exited(status):
                return ExitedWith(status)
            case runner.Failed(_, text):
                self._drop_lost()
                return Ended(failed=text)
            case runner.Suspended(error):
                return Waits(error.future_result)
            case runner.Finished():
                return Ended()
