"""What each diagnostic code means, why it is refused, and a small wrong and right example. The one source of `explain`.

Look-ups only; the texts stand in `codes_files` and `codes_objects`. The files of an example lie in a project that also
has what `WHERE` says. A test compiles them all: the wrong ones give their code once and nothing else, the right ones
give nothing.
"""

from statek.spec.codes.of_files import CODES as OF_FILES
from statek.spec.codes.of_objects import CODES as OF_OBJECTS
from statek.spec.codes.parts import Code
from statek.spec.reading.lint import code_of

CODES: dict[str, Code] = {**OF_FILES, **OF_OBJECTS}
WHERE = "in a project with Models fast and deep, ToolSet ticketing (lookup, close) and agent reader (input topic)"


def find_code(word: str) -> str | None:
    """The code that `word` names, as a code or by its rule (`unknown-input`), in any case; None when there is none."""
    return code_of(word.upper()) or code_of(word.lower())
