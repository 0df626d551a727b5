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
    ("statek.task", "TaskFutureResult"): "(job, deps, state_num)",
    ("statek.task", "delegate_task"): (
        "(agent, warmup_code=None, parent_job=None, shared_vars=None, locale=None, **kwargs)"
    ),
    ("statek.task", "delegate_mute_task"): (
        "(agent, warmup_code=None, parent_job=None, shared_vars=None, locale=None, **kwargs)"
    ),
    ("statek.task", "delegate_mute_dialog"): (
        "(agent, message, parent_job=None, shared_vars=None, locale=None, **kwargs)"
    ),
    ("statek.task", "start_dialog"): (
        "(agent, message, warmup_code=None, parent_job=None, shared_vars=None, locale=None, **kwargs)"
    ),
    ("statek.task", "create_future_task"): (
        "(agent, shared_vars, parent_job, warmup_code=None, locale=None, caller_frame=None, **kwargs)"
    ),
    ("statek", "SubTaskHandler"): "(job, id=None)",
    ("statek", "create_new_job"): (
        "(agent, shared_vars=None, parent_job=None, warmup_code=None, locale=None, caller_frame=None, **kwargs)"
    ),
    ("statek", "create_sub_task"): "(job, handler_type=SubTaskHandler, **kwargs)",
    ("statek", "complete_sub_task"): "(result=None, error=None)",
    ("statek.agents.agent", "Agent"): (
        "(role, _system_prompt, _tools, _tools_by_name=(), _internal_tools=(), _internal_tools_by_name=(),"
        " _metadata=None, _X__context=None, _description=None)"
    ),
    ("statek.agents.agent", "SupervisedAgent"): (
        "(role, _system_prompt, _tools, _tools_by_name=(), _internal_tools=(), _internal_tools_by_name=(),"
        " _metadata=None, _X__context=None, _description=None, warmup_def=None)"
    ),
    ("statek.agents.agent", "WarmupDef"): "(warmup_code=None, metadata=None)",
    ("statek.agents.agent", "update_warmup_defs"): "(path, agents=None)",
    ("statek.prompt_config", "update_prompt_config"): "(prompt_defs, agents=None)",
    ("statek.llm_harness", "LLM_Harness"): (
        "(max_turns, max_exceptions, max_consecutive_exceptions, max_token_usage, limit_extension_per_completion=0.0)"
    ),
    ("statek.llm_harness", "get_llm_harness"): "()",
    ("statek.executors.job", "JobDefError"): "(error, collect_traceback=True)",
    ("statek.executors.job", "parse_model_metadata"): "(text)",
    ("statek.pyenv", "PyEnv"): (
        "(global_state=None, local_state=None, console=None, exceptions=None, push_log=None, next_instr_id=None,"
        " warmup_block_num=None, exit_status=None, future_result=None)"
    ),
    ("statek", "subtask"): "(f=None, *, system=False, target=None)",
    ("statek.system", "subtask"): "(f=None, *, system=False, target=None)",
    ("statek.system", "panic"): "()",
    ("statek.system", "find_sub_task_handler"): "(id=None)",
    ("statek.system", "get_pending_notifications"): "()",
    ("statek.system", "send_notification_to"): "(target, message)",
    ("statek.utils", "find_locals"): "(var_type=None, var_name=None, ext_scan=True)",
    ("statek.utils", "perm_ctx_set_unique"): "(key, value)",
    ("statek.utils", "statek_ctx_get"): "(key, *default)",
    ("statek.utils", "statek_ctx_set"): "(**values)",
    ("statek.task_difficulty", "parse_task_difficulty"): "(value)",
    ("statek.locale", "resolve_locale"): "(locale)",
    ("statek.locale", "get_language_rule"): "(code)",
    ("statek.locale", "get_language_hint"): "(code)",
    ("statek.executors.chat_log_item", "UserLogItem"): "(message, timestamp=None)",
    ("statek.executors.chat_log_item", "WarmupLogItem"): (
        "(console_pos=0, tool_log=None, timestamp=None, warmup_block_num=0)"
    ),
    ("statek.executors.chat_log_item", "ToolError"): "(err_message)",
    ("statek.future", "FutureResult"): "(deps, state_num)",
    ("statek.future", "temporal"): "(complement=None, condition=None, extends=None)",
    ("statek.executors.utils", "job_worker"): "(semaphore, job, provider=None)",
    ("statek.task", "submit_new_job"): "(agent, shared_vars=None, locale=None, **kwargs)",
    ("statek.task", "submit_new_jobs_batch"): "(agent, shared_vars_batch, locale=None, **kwargs)",
    ("statek.testing", "statek_context"): "(job=None, agent=None)",
    ("statek.settings", "statek_log"): "(message, level='info')",
    ("statek.model_pricing", "get_model_pricing"): "(provider, model, model_family=None, no_create=False)",
    ("statek.model_pricing", "set_model_pricing"): (
        "(provider, model, input_price_per_M, output_price_per_M, input_price_per_cached_M=None, model_family=None)"
    ),
    ("statek", "tool"): "(f=None, *, system=False, target=None, error_handler=None, hidden=False)",
    ("statek", "find_tools"): "(scope=None, chat_style=None, include_hidden=False)",
    ("statek.system", "select_tools"): "(tools, scope, chat_style=None)",
    ("statek.system", "create_tool"): "(tool_name, callable, docstring, context, *args, **kwargs)",
}
"""(import path, name) -> signature."""

EXACT = frozenset({
    "start_statek", "start_statek_async", "run_job_step", "run_jobs_loop", "run_agentic_loop", "run_agentic_fleet",
    "AgentLoopDef", "process_push_notifications", "process_agent_events", "unsuspend_jobs", "create_new_job",
    "create_sub_task", "complete_sub_task", "SubTaskHandler",
})  # fmt: skip
"""Names that take nothing beside what the documents say: the pages print their signatures in full."""

METHODS: dict[tuple[str, str], dict[str, str]] = {
    ("statek.executors.job", "Job"): {
        "system_prompt": "(self, difficulty=None)",
        "find_locals": "(self, var_type=None, var_name=None, ext_scan=True)",
        "add_locals": "(self, **kwargs)",
        "find_sub_task_handler": "(self, id=None)",
        "push_notification": "(self, handler)",
        "push_user_message": "(self, message)",
        "send_notification": "(self, message)",
        "tokens_per_sec": "(self)",
        "add_ext_ref": "(self, obj)",
        "contains_ext_ref": "(self, obj)",
        "add_error_handler": "(self, error_handler, context)",
        "add_error_handlers_from": "(self, parent_job)",
        "bind_critical_error_context": "(self, context)",
        "notify_handlers": "(self, error=None)",
        "panic": "(self)",
        "set_status": "(self, status)",
        "get_current_difficulty": "(self)",
        "get_current_model": "(self, difficulty=None)",
        "get_next_request": "(self, difficulty=None)",
        "get_request_data": "(self, turn_num)",
        "get_chat_history": "(self)",
        "get_dialog": "(self)",
        "get_chat_responses": "(self)",
        "count_llm_actions": "(self)",
        "get_response_times": "(self)",
        "get_llm_response_times": "(self)",
        "get_llm_step_sizes": "(self)",
        "get_llm_initial_step_size": "(self)",
        "append_chat_log": "(self, request, llm_resp, request_difficulty=None, cumulative_token_usage=None)",
        "get_next_prompt": "(self)",
        "get_next_code_block": "(self)",
        "is_step_final": "(self, llm_step)",
        "has_more_warmup_blocks": "(self)",
        "advance_warmup_block": "(self)",
        "iter_notification_log_items": "(self)",
        "get_resource_agents": "(self, difficulty=None)",
        "get_resource_tools": "(self, include_internal=True, difficulty=None)",
        "console_append": "(self, output, error=None)",
    },
    ("statek.agents.agent", "Agent"): {
        "init_context": "(self)",
        "append_tool": "(self, tool)",
        "get_adapter": "(self, name)",
        "update_system_prompt": "(self, new)",
        "update_metadata": "(self, new)",
        "update_description": "(self, new)",
        "system_prompt": "(self, task_difficulty=None, job_params=None, available_tools=None, **kwargs)",
    },
    ("statek.agents.agent", "SupervisedAgent"): {
        "update_warmup_def": "(self, unparsed)",
        "create_job_def": "(self, tools=None, warmup_code=None, shared_vars=None, locale=None, **kwargs)",
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
        "pop_from_job_console": "(self, count, prefix=None)",
        "pop_from_agent_queue": "(self, agent, count)",
        "is_empty": "(self)",
        "has_agent_events": "(self, agent)",
        "has_job": "(self, job_uuid, max_scan=100)",
    },
    ("statek.statek_client_api", "StatekClientAPI"): {
        "submit_new_job": "(self, agent, shared_vars=None, locale=None, **kwargs)",
        "submit_new_jobs_batch": "(self, agent, shared_vars_batch, locale=None, **kwargs)",
    },
    ("statek.executors.llm_usage", "LLM_Usage"): {"for_model": "(provider, model, model_family=None)"},
}
"""Class -> method -> signature."""

NAMES: dict[str, tuple[str, ...]] = {
    "statek.executors.job": ("JobStatus", "JobDefError"),
    "statek.task": ("SubTaskState", "TaskError"),
    "statek": ("SubTaskState", "TaskError", "init", "docstr", "brief", "get_any", "get_all", "docs_style"),
    "statek.agents.agent": ("SupervisedAgent", "Agent", "WarmupDef"),
    "statek.llm_harness": ("LLM_HarnessError",),
    "statek.task_difficulty": ("TaskDifficulty", "max_task_difficulty"),
    "statek.pyenv": ("Error", "ErrorKind"),
    "statek.chat_history": ("ChatHistoryItem", "ChatRole", "ContentSource"),
    "statek.utils": (
        "perm_ctx_get",
        "perm_ctx_set",
        "get_current_job",
        "get_current_agent",
        "get_current_agent_name",
        "format_value_repr",
        "format_llm_repr",
        "format_default_llm_repr",
        "format_tool_spec",
        "format_callable_decl",
        "statek_print",
    ),
    "statek.executors.chat_log_item": (
        "ChatLogItem",
        "LLM_LogItem",
        "SubTaskLogItem",
        "NotificationLogItem",
        "PostProcessedItem",
        "ReminderLogItem",
        "DifficultyChangeLogItem",
    ),
    "statek.prompt_config": (
        "make_system_prompt",
        "parse_prompt_file",
        "load_prompt_files",
        "compare_prompts",
        "format_system_prompt",
    ),
    "statek.system": (
        "docstr",
        "brief",
        "statek_print",
        "tool",
        "docs_style",
        "error_handler",
        "is_valid_error_handler",
        "get_any",
        "get_all",
        "find_tools",
        "python_cli",
    ),
    "statek.statek_push_queue": ("StatekPushQueue",),
    "statek.statek_client_api": ("StatekClientAPI",),
    "statek.exceptions": ("FutureError", "InvalidFormat"),
    "statek.settings": (
        "StatekSettings",
        "LLM_API_Settings",
        "ChatStyle",
        "get_prompt_def",
        "get_provider_settings",
        "get_statek_logger",
        "get_statek_settings",
        "set_log_level",
        "set_statek_settings",
        "statek_log",
    ),
    "statek.runner": ("start_statek", "start_statek_async"),
    "statek.locale": ("StatekCountryCode", "StatekLangCode", "StatekLocale"),
    "statek.model_name": ("ModelName", "ensure_model_name", "parse_model_name", "select_model_provider"),
    "statek.multi_source_settings": ("MultiSourceBaseSettings", "SettingValuesSource"),
    "statek.rpc_integration": ("has_rpc", "rpc"),
    "statek.model_pricing": ("ModelPricing", "init_model_pricing"),
}
"""Import path -> names of which the documents give no signature."""

MEMBERS: dict[str, tuple[str, ...]] = {
    "job": (
        "job_def", "parent_job", "py_env", "chat_log", "awaited_result", "next_instr_num", "warmup_block_num", "error",
        "created_at", "usage", "num_completions", "status", "model", "model_family", "approx_token_usage",
        "agent", "error_handlers", "num_turns", "exception_count", "max_consecutive_exceptions", "last_response",
        "last_chat_log_item", "difficulty_token_extension",
    ),
    "job_def": (
        "agent", "metadata", "job_params", "warmup_code", "locale", "model", "model_family", "provider", "chat_style",
        "_chat_style",
    ),
    "usage": (
        "pricing", "context_bytes", "total_bytes_sent", "total_bytes_received", "total_input_tokens",
        "total_cached_tokens", "total_output_tokens", "total_reported_cost", "total_cost",
    ),
    "handler": ("job", "id", "is_completed", "error", "result", "state"),
    "agent": (
        "role", "description", "context", "tools", "all_tools", "referenced_locals", "warmup_def",
        "_system_prompt", "_tools", "_internal_tools", "_metadata", "_description",
    ),
    "py_env": (
        "global_state", "local_state", "console", "exceptions", "exit_status", "push_log", "next_instr_id",
        "warmup_block_num", "future_result", "perm_ctx",
    ),
}  # fmt: skip
"""Object -> attributes and properties that can be read."""
