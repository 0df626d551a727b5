"""Documented path of jobs and their definitions."""

from statek.store.job import Job, JobStatus
from statek.store.job_def import JobDef, JobDefError
from statek.store.model_choice import parse_model_metadata
from statek.store.usage import LLM_Usage as Usage

__all__ = ["Job", "JobDef", "JobDefError", "JobStatus", "Usage", "parse_model_metadata"]
