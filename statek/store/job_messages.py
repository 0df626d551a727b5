"""What a job is told: messages of users, the ends of its children, texts of other jobs.

A part of `Job`. What is told is one record of the history; a job that had ended well goes back to work for it, another
one reads it before its next answer.
"""

from typing import Any

from statek.store import current, root
from statek.store.chat import ChatItem, decode_item
from statek.store.chat_items import BARE, LogItem, log_items
from statek.store.error_handlers import CRITICAL
from statek.store.job_index import JobIndex
from statek.store.job_views import JobViews
from statek.store.prompt import ORDER, TaskDifficulty


class JobMessages(JobViews):
    """The part of a job that is told things. Its fields are documented at `Job`."""

    unread: Any
    untold: Any
    num_completions: int | None
    is_done: Any
    outcome: str
    append_chat: Any
    add_ext_ref: Any
    bind_critical_error_context: Any
    reopen: Any
    approx_token_usage: Any

    def push_user_message(self, message: Any, at_us: int | None = None) -> bool:
        """Deliver a message; True when it brought a finished job back to work.

        What is no text goes through the agent's `message_adapter`, else through `str`.
        """
        at = current.now_us() if at_us is None else at_us
        adapter = None if isinstance(message, str) else self.agent.get_adapter("message_adapter")
        text = str(adapter(message) if adapter else message)
        begins = self.style in ("direct", "md_dialog") and not self.chat
        self.append_chat(ChatItem("user", at, len(self.console_log), text, note=BARE if begins else None))
        self.add_ext_ref(message)
        if self.agent.get_adapter(CRITICAL) is not None:
            self.bind_critical_error_context(message)
        if not self.is_done:
            self.unread = (self.unread or 0) + 1
            return False
        self.num_completions = (self.num_completions or 0) + 1
        self.reopen()
        return True

    def find_sub_task_handler(self, id: Any = None) -> Any:  # noqa: A002 - documented name
        """The newest completed child handler, or that of `id`.

        Raises:
            RuntimeError: the handler of `id` has not completed.
        """
        for handler in reversed(list(self.children or ())):
            if handler.is_completed and (id is None or handler.id == id):
                return handler
        if id is not None:
            raise RuntimeError(f"sub-task {id!r} has not completed: wait for its notification")
        return None

    def push_notification(self, handler: Any, at_us: int | None = None) -> None:
        """Tell the job that a child has ended; a job that ended well goes back to work to read it.

        Raises:
            RuntimeError: the child has not completed.
        """
        if not handler.is_completed:
            raise RuntimeError("a sub-task that has not completed cannot be announced")
        if handler.job.handler is None and self._handler_of(handler.job.id) is None:
            self.add_child(handler)
        text, note = handler.announcement()
        self._notify(ChatItem("subtask", self._at(at_us), len(self.console_log), text, note=note))

    def send_notification(self, message: str, at_us: int | None = None) -> None:
        """Send the job a text that its model reads before its next answer; a job that ended well goes back to work."""
        place = len(self.console_log)
        self._notify(ChatItem("subtask", self._at(at_us), place, str(message), note={"text": True}))

    def pending_notifications(self) -> list[LogItem]:
        """Notifications that the model has not been told yet, oldest first."""
        return log_items(self._untold(), self._handler_of)

    def has_pending_notifications(self) -> bool:
        """Is there anything that neither the model nor the job's code has read?"""
        return self.untold is not None and bool(self._untold())

    def _untold(self) -> list[ChatItem]:
        chat, index = self.chat, root.job_index()
        items = [decode_item(chat[place]) for place in self.untold or ()]
        return [item for item in items if not self._has_read(item, index)]

    def _has_read(self, item: ChatItem, index: JobIndex) -> bool:
        child_id = (item.note or {}).get("child")
        if child_id is None:
            return False
        child = index.find(child_id)
        handler = child.handler if child is not None else None
        if handler is None:
            handler = self._handler_of(child_id)
        return handler is not None and bool(handler.was_read)

    def _notify(self, item: ChatItem) -> None:
        self.append_chat(item)
        if not self.is_done:
            if self.untold is None:
                self.untold = []
            self.untold.append(len(self.chat) - 1)
        elif self.outcome in ("", "ok"):  # one that failed or was ended from outside stays so
            self.reopen()

    def _at(self, at_us: int | None) -> int:
        return current.now_us() if at_us is None else at_us

    def add_child(self, handler: Any) -> None:
        """Keep the handler of a child."""
        if self.children is None:
            self.children = []
        self.children.append(handler)

    def panic(self) -> TaskDifficulty:
        """Raise the job's difficulty by one level; gives the new one.

        Raises:
            RuntimeError: it is at the highest already.
        """
        before = self.get_current_difficulty()
        if before is ORDER[-1]:
            raise RuntimeError("the task difficulty is at its highest already")
        after = ORDER[ORDER.index(before) + 1]
        self.difficulty = after.name
        note = {"from": before.name, "to": after.name, "tokens": self.approx_token_usage}
        self.append_chat(ChatItem("difficulty", current.now_us(), len(self.console_log), note=note))
        return after
