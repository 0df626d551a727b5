"""Steps from a value to a part of it, as templates take them: by a key, by an index, through all. Only values."""

from enum import Enum


class Some(Enum):
    """A part of a value that has no written-out key: each that a loop goes through, or one whose key is computed."""

    EACH = "each"
    COMPUTED = "computed"


Step = str | int | Some
