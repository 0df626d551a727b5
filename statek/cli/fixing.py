"""`statek validate --fix`: safe fixes round by round, until no shown problem has one. Applying is `spec.fixing`'s."""

from collections.abc import Callable, Sequence

from statek.cli.screen import Screen
from statek.compiler.project import Compilation
from statek.spec.fixing import apply_safe_fixes
from statek.spec.problems import Problem

_ROUNDS = 10  # each brings to light what the one before it hid


def fix_all(
    screen: Screen, compile_again: Callable[[], Compilation], shown: Callable[[Compilation], Sequence[Problem]]
) -> Compilation:
    """Fix what `shown` gives of each compilation; say how many, and return the last compilation."""
    compilation = compile_again()
    fixed, files, left = 0, set[str](), dict[str, None]()
    for _ in range(_ROUNDS):
        done = apply_safe_fixes(compilation.config.root, shown(compilation), compilation.sources)
        left |= dict.fromkeys(done.left)
        if not done.fixed:
            break
        fixed += done.fixed
        files |= done.files
        compilation = compile_again()
    for reason in left:
        screen.note(f"not fixed: {reason}")
    screen.note(f"fixed {_counted(fixed, 'problem')} in {_counted(len(files), 'file')}")
    return compilation


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count != 1 else ''}"
