"""One documented step of one job, without a loop and without a ledger: `run_job_step`, `unsuspend_jobs`.

A step runs the code of the last answer, then asks the model once and stores what it answers; the next step runs that.
Of a warmup each block is a step, the last one with the question behind it.
For tests and scripts; a step is in the file when it returns, and there is no ledger behind it. Workers use `fleet`.
"""

import asyncio
import logging
from typing import Any

from statek.base.clock import Clock, SystemClock
from statek.exceptions import LLM_HarnessError, Signal, StatekError
from statek.runtime.asking import Asker
from statek.runtime.catalog import Catalog
from statek.runtime.cleanup import error_of
from statek.runtime.endings import CallWish
from statek.runtime.harness import harness_of
from statek.runtime.performing import Performer
from statek.runtime.step import Delivery, Failure, Over, Steps, Wish
from statek.runtime.turn import Ask
from statek.sandbox.bounds import WATCHDOG
from statek.settings import StatekSettings, get_statek_settings
from statek.store import current
from statek.store.job import JobStatus, jobs_with
from statek.store.session import Store
from statek.store.subtask import SubTaskHandler

STEP_SECONDS = 5.0
STEP_MEMORY = 512 << 20
log = logging.getLogger(__name__)


async def run_job_step(job: Any, provider: str | None = None) -> bool:
    """Execute one step of `job`: pending code, then one model request; or a block of its warmup before the last one.

    Args:
        job: a stored job.
        provider: default provider for model strings that name none.

    Returns:
        True when the job completed (or was complete), else False.

    Raises:
        LLM_HarnessError: a limit of the job is reached; it has ended with this error.
        StatekError, ValueError: the model could not be asked or gave no answer; the next step asks again.
    """
    stepper = Stepper(Store.attach(), SystemClock(), get_statek_settings(), provider)
    try:
        return await stepper.step(job)
    finally:
        await stepper.close()


async def job_worker(semaphore: asyncio.Semaphore, job: Any, provider: str | None = None) -> None:
    """One step of `job` as soon as `semaphore` lets it; what goes wrong in it ends this job and nothing else.

    Args:
        semaphore: bounds how many work at once.
        job: a stored job.
        provider: default provider for model strings that name none.
    """
    async with semaphore:
        stepper = Stepper(Store.attach(), SystemClock(), get_statek_settings(), provider)
        try:
            await stepper.step(job)
        except LLM_HarnessError:
            pass  # the job has ended with it
        except (StatekError, ValueError) as error:
            stepper.end(job, error)
        finally:
            await stepper.close()


def unsuspend_jobs() -> None:
    """Let waiting jobs whose future or child is ready go on: SUSPENDED becomes STARTED."""
    for job in jobs_with(JobStatus.SUSPENDED, JobStatus.WARMING_UP):
        if job.waiting_for is not None and _is_surely_ready(job):
            job.awaited_result, job.waiting_bytes = None, None
            if job.job_status == JobStatus.SUSPENDED:
                job.set_status(JobStatus.STARTED)


def is_ready(job: Any) -> bool:
    """Can a waiting job go on? Exceptions of a condition function are the caller's to handle."""
    waiting = job.waiting_for or {}
    if waiting.get("kind") == "subtask":
        handlers: list[SubTaskHandler] = list(job.children or ())
        return any(handler.is_completed for handler in handlers if handler.job.id == waiting["detail"])
    if waiting.get("kind") == "future":
        return job.awaited_result is None or bool(job.awaited_result.check_condition())
    return True


def _is_surely_ready(job: Any) -> bool:
    """As `is_ready`; a condition that fails is logged and costs only its own job, which ends in its next step."""
    try:
        return is_ready(job)
    except Exception:
        log.exception("the condition that job %s waits for failed; it goes on waiting", job.id)
        return False


class Stepper:
    """Advances single jobs of an open store."""

    def __init__(self, store: Store, clock: Clock, settings: StatekSettings, provider: str | None) -> None:
        """Work on `store`; models come from `settings`."""
        catalog = Catalog(None, harness_of(settings).limits())
        self._store = store
        self._clock = clock
        self._provider = provider
        self._steps = Steps(catalog, lambda _job, _wish: (False, None), single_blocks=True)
        self._asker = Asker(catalog, clock, settings.secret, settings)
        self._performer = Performer(store, clock, WATCHDOG)

    async def step(self, job: Any) -> bool:
        """One step; True when the job is complete. Raises as `run_job_step`."""
        if job.job_status == JobStatus.DONE:
            return True
        try:
            if job.waiting_for is not None and not is_ready(job):
                return False
        except Exception as error:  # noqa: BLE001 - an application's condition: its failure is this job's alone
            self._advance(job, Failure("failed", f"{type(error).__name__} in a condition: {error}"))
            return True
        try:
            wish: Wish | None = await self._to_the_question(job)
            if isinstance(wish, Ask):
                wish = await self._one_question(job, wish)
        finally:
            self._steps.forget(job.id)
        failure = self._told(job, wish)
        if isinstance(failure, LLM_HarnessError):
            raise failure
        return isinstance(wish, Over)

    def end(self, job: Any, error: Exception) -> None:
        """End a job whose model could not be asked."""
        wish = self._advance(job, Failure("failed", f"{type(error).__name__}: {error}"))
        self._steps.forget(job.id)
        self._told(job, wish)

    def _told(self, job: Any, wish: Wish | None) -> BaseException | None:
        """What a job has failed of, once its error handlers were told."""
        if not isinstance(wish, Over) or wish.outcome == "ok":
            return None
        error = error_of(job)
        if job.error_handlers is not None:
            with current.running(job):
                job.notify_handlers(error)
        return error

    async def close(self) -> None:
        """Write what was done to the file, and let go of connections. Raises StoreFull."""
        try:
            self._store.save()
        finally:
            await self._asker.close()

    async def _to_the_question(self, job: Any) -> Wish:
        delivery: Delivery = None
        while True:
            wish = self._advance(job, delivery)
            if not isinstance(wish, CallWish):
                return wish
            delivery = (await self._performer.perform(job.id, wish)).outcome

    async def _one_question(self, job: Any, ask: Ask) -> Wish | None:
        answer = await self._asker.ask(ask, self._provider)
        with self._store.together():
            return self._steps.take_answer(job, self._clock.now_us(), answer)

    def _advance(self, job: Any, delivery: Delivery) -> Wish:
        now = self._clock.now_us()
        try:
            with WATCHDOG.armed(STEP_SECONDS, STEP_MEMORY), self._store.together():
                return self._steps.advance(job, now, delivery)
        except Signal as error:
            with self._store.together():
                return self._steps.fail_statement(job, now, f"{type(error).__name__}: {error}")
