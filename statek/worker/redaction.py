"""Which secrets a process must be able to hide, although it has not used them: those that releases refer to.

A worker learns most of them when it resolves them (`statek.settings`); an old job may show one from before this
process. The list itself and the blotting are in `statek.base.redaction`.
"""

import re
from collections.abc import Callable

from statek.base.redaction import SECRETS
from statek.ledger import releases
from statek.ledger.file import LedgerFile

_REFERENCE = re.compile(r"\$\{secret:([^}]*)\}")


def learn_declared(ledger: LedgerFile, look_up: Callable[[str], str | None]) -> None:
    """Let this process hide the values of all `${secret:NAME}` that objects of any release refer to.

    Args:
        ledger: where the releases are.
        look_up: the value of a name now, None when it has none.
    """
    texts = releases.texts_with(ledger, "${secret:")
    for name in sorted({name for text in texts for name in _REFERENCE.findall(text)}):
        SECRETS.learn(look_up(name))
