"""The MODEL metadata: one model for every difficulty, or one for each. Pure.

`L:small,MH:large` is a mapping because a part of it begins with letters of L, M, H and a colon; every other text is one
model, colons and all (`llama3:8b`). A model whose own name begins so is written `LMH:` in front.
"""

import re
from collections.abc import Mapping

from statek.store.prompt import LABELS, ORDER, TaskDifficulty

_LABELLED = re.compile(r"\s*([LMHlmh]+)\s*:")
_EXPECTED = "expected one model, or parts such as L:small,MH:large that name each of L, M and H once"


def parse_model_metadata(text: str) -> str | dict[TaskDifficulty, str]:
    """The model, or the model of each difficulty.

    Raises:
        ValueError: the text is empty, or a mapping that leaves a difficulty out, names one twice, or has a part that is
            not `LABELS:model`.
    """
    if not text or not text.strip():
        raise ValueError(f"MODEL is empty: {_EXPECTED}")
    if not any(map(_LABELLED.match, text.split(","))):
        return text.strip()
    found: dict[TaskDifficulty, str] = {}
    for part in text.split(","):
        labels, colon, model = part.partition(":")
        for letter in _letters(labels, colon, text):
            if LABELS[letter] in found:
                raise ValueError(f"MODEL {text!r} names {letter.upper()} twice: {_EXPECTED}")
            if not model.strip():
                raise ValueError(f"MODEL {text!r} has no model after {labels.strip()!r}: {_EXPECTED}")
            found[LABELS[letter]] = model.strip()
    missing = [level.name[0].upper() for level in ORDER if level not in found]
    if missing:
        raise ValueError(
            f"MODEL {text!r} leaves out {', '.join(missing)}: {_EXPECTED}; one model of this very name is LMH:{text}"
        )
    return {level: found[level] for level in ORDER}


def model_for(text: str, difficulty: TaskDifficulty) -> str:
    """The model of a difficulty. Raises ValueError as `parse_model_metadata`."""
    found = parse_model_metadata(text)
    return found if isinstance(found, str) else found[difficulty]


def model_text(text: str) -> str:
    """The one model, the one that all difficulties share, or `L:...,M:...,H:...`."""
    found = parse_model_metadata(text)
    if isinstance(found, Mapping):
        models = list(found.values())
        pairs = ",".join(f"{level.name[0].upper()}:{model}" for level, model in found.items())
        return models[0] if len(set(models)) == 1 else pairs
    return found


def _letters(labels: str, colon: str, text: str) -> list[str]:
    letters = list(labels.strip().lower())
    unknown = [letter for letter in letters if letter not in LABELS]
    if not colon or not letters or unknown:
        raise ValueError(f"MODEL {text!r}: {labels.strip()!r} is no list of difficulties: {_EXPECTED}")
    return letters
