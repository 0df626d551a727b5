"""Documented package of jobs and runners; see `executors.job` and `executors.utils`."""
