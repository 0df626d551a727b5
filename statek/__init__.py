"""Stateful Agent Execution Kit: LLM agents declared in files, run as durable jobs."""
