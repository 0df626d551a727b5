"""What the documentation promises: names by import path, and signatures as they are written there.

`SIGNATURES` holds parameter names, order, kinds and defaults; annotations are left out. `MEMBERS` holds what the
documents say that objects have. When a name comes to the kit, a row comes here.
"""

SIGNATURES: dict[tuple[str, str], str] = {
    ("statek", "start_statek"): ("(agents=None, push_queues=None, settings=None, max_concurrency=100, provider=None)"),
    ("statek", "start_statek_async"): (
        "(agents=None, push_queues=None, settings=None, max_concurrency=100, provider=None)"
    ),
    ("statek.runner", "start_statek"): (
        "(agents=None, push_queues=None, settings=None, max_concurrency=100, provider=None)"
    ),
    ("statek.runner", "start_statek_async"): (
        "(agents=None, push_queues=None, settings=None, max_concurrency=100, provider=None)"
    ),
    ("statek.executors.utils", "run_job_step"): "(job, provider=None)",
    ("statek.executors.utils", "run_jobs_loop"): (
        "(max_concurrency=100, provider=None, *, queue_prefixes, start_jobs_func=None, auto_terminate=False)"
    ),
    ("statek.executors.utils", "run_agentic_loop"): (
        "(agent, warmup_code, task_queue_size_func, queue_prefixes, max_concurrency=100, provider=None,"
        " auto_terminate=False)"
    ),
    ("statek.executors.utils", "run_agentic_fleet"): (
        "(agent_loop_defs, queue_prefixes, max_concurrency=100, provider=None, auto_terminate=False)"
    ),
    ("statek.executors.utils", "AgentLoopDef"): "(agent, warmup_code, task_queue_size_func)",
    ("statek.executors.utils", "process_push_notifications"): (
        "(step_size=100, max_count=500, *, queue_prefixes, job_prefix=None)"
    ),
    ("statek.executors.utils", "process_agent_events"): "(agents=None, max_count=100, *, queue_prefixes)",
    ("statek.executors.utils", "unsuspend_jobs"): "()",
    ("statek.executors.job", "JobDef"): (
        "(agent, metadata=None, job_params=None, warmup_code=None, _chat_style=None, locale=None)"
    ),
    ("statek.executors.job", "Job"): (
        "(job_def, job_status=READY, py_env=None, chat_log=None, awaited_result=None, next_instr_num=None,"
        " warmup_block_num=None, error=None, created_at=None, parent_job=None, model_family=None, model=None)"
    ),
    ("statek.task", "SubTaskHandler"): "(job, id=None)",
    ("statek.task", "create_new_job"): (
        "(agent, shared_vars=None, parent_job=None, warmup_code=None, locale=None, caller_frame=None, **kwargs)"
    ),
    ("statek.task", "create_sub_task"): "(job, handler_type=SubTaskHandler, **kwargs)",
    ("statek.task", "complete_sub_task"): "(result=None, error=None)",
    ("statek", "SubTaskHandler"): "(job, id=None)",
    ("statek", "create_new_job"): (
        "(agent, shared_vars=None, parent_job=None, warmup_code=None, locale=None, caller_frame=None, **kwargs)"
    ),
    ("statek", "create_sub_task"): "(job, handler_type=SubTaskHandler, **kwargs)",
    ("statek", "complete_sub_task"): "(result=None, error=None)",
    ("statek.future", "FutureResult"): "(deps, state_num)",
    ("statek.future", "temporal"): "(complement=None, condition=None, extends=None)",
}
"""(import path, name) -> signature."""

METHODS: dict[tuple[str, str], dict[str, str]] = {
    ("statek.executors.job", "Job"): {
        "system_prompt": "(self, difficulty=None)",
        "find_locals": "(self, var_type=None, var_name=None, ext_scan=True)",
        "add_locals": "(self, **kwargs)",
        "find_sub_task_handler": "(self, id=None)",
        "push_notification": "(self, handler)",
        "push_user_message": "(self, message)",
        "tokens_per_sec": "(self)",
    },
    ("statek.executors.job", "JobDef"): {
        "set_error": "(self, error, collect_traceback=True)",
        "get_errors": "(self)",
        "has_errors": "(self)",
        "clear_errors": "(self)",
        "update_warmup_code": "(self, warmup_code)",
        "set_chat_style": "(self, chat_style)",
    },
    ("statek.task", "SubTaskHandler"): {
        "complete": "(self, result=None, error=None)",
        "get_log_message": "(self)",
    },
    ("statek.statek_push_queue", "StatekPushQueue"): {
        "push_to_job_console": "(self, job_uuid, message)",
        "push_to_agent_queue": "(self, agent, event)",
    },
}
"""Class -> method -> signature."""

NAMES: dict[str, tuple[str, ...]] = {
    "statek.executors.job": ("JobStatus", "JobDefError"),
    "statek.task": ("SubTaskState", "TaskError"),
    "statek": ("SubTaskState", "TaskError"),
    "statek.agents.agent": ("SupervisedAgent",),
    "statek.prompt_config": ("make_system_prompt",),
    "statek.statek_push_queue": ("StatekPushQueue",),
    "statek.statek_client_api": ("StatekClientAPI",),
    "statek.exceptions": ("FutureError",),
    "statek.settings": ("StatekSettings",),
}
"""Import path -> names of which the documents give no signature."""

MEMBERS: dict[str, tuple[str, ...]] = {
    "job": (
        "job_def", "parent_job", "py_env", "chat_log", "awaited_result", "next_instr_num", "warmup_block_num", "error",
        "created_at", "usage", "num_completions", "status", "model", "model_family", "approx_token_usage",
    ),
    "job_def": (
        "agent", "metadata", "job_params", "warmup_code", "locale", "model", "model_family", "provider", "chat_style",
    ),
    "handler": ("job", "id", "is_completed", "error", "result", "state"),
    "py_env": ("local_state", "console", "exit_status", "push_log"),
}  # fmt: skip
"""Object -> attributes and properties that can be read."""
