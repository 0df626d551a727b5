"""Where a job's code stands: what comes next, and how a place in several pieces of code is one number."""

from typing import Final

PART: Final = 10_000  # statements of one piece; a job's `statement` is piece * PART + index


class Stage:
    """What a job does next. Text, because the list may grow."""

    NEW: Final = "new"  # nothing has run
    CODE: Final = "code"  # run `code` from `statement` on; without `code` that of the newest answer
    ASK: Final = "ask"  # the model's next answer is wanted
    END: Final = "end"  # nothing
