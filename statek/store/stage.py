"""Where a job's code stands: what comes next, and how a place in several pieces of code is one number."""

from typing import Final

PART: Final = 10_000  # statements of one piece; a job's `statement` is piece * PART + index


class Stage:
    """What a job does next. Numbers, which the store reads in a third of the time of a text; the list may grow."""

    NEW: Final = 0  # nothing has run
    CODE: Final = 1  # run `code` from `statement` on; without `code` that of the newest answer
    ASK: Final = 2  # the model's next answer is wanted
    END: Final = 3  # nothing
