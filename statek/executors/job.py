"""Documented path of jobs and their definitions."""

from statek.store.job import Job, JobStatus, Usage
from statek.store.job_def import JobDef, JobDefError

__all__ = ["Job", "JobDef", "JobDefError", "JobStatus", "Usage"]
