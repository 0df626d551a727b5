"""Documented path of the runners."""

from statek.runtime.delivery import process_agent_events, process_push_notifications
from statek.runtime.loops import AgentLoopDef, run_agentic_fleet, run_agentic_loop, run_jobs_loop
from statek.runtime.stepper import job_worker, run_job_step, unsuspend_jobs

__all__ = [
    "AgentLoopDef",
    "job_worker",
    "process_agent_events",
    "process_push_notifications",
    "run_agentic_fleet",
    "run_agentic_loop",
    "run_job_step",
    "run_jobs_loop",
    "unsuspend_jobs",
]
