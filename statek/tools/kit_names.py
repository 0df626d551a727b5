"""What code of every job finds beside its agent's tools. Only the names, for checking files needs no more."""

KIT_NAMES = frozenset({
    "brief", "complete_sub_task", "docstr", "find_locals", "find_sub_task_handler", "get_pending_notifications",
    "panic", "perm_ctx_get", "perm_ctx_set", "perm_ctx_set_unique", "send_notification_to", "statek_ctx_get",
    "statek_print",
})  # fmt: skip
