"""The MODEL metadata: one model, or one for each difficulty, and never a doubt which."""

import pytest

from statek.store.model_choice import model_for, model_text, parse_model_metadata
from statek.store.prompt import TaskDifficulty

LOW, MEDIUM, HIGH = TaskDifficulty


@pytest.mark.parametrize("text", ["m", "llama3:8b", "vendor/model:free", "p/f/m:x,y", "anthropic.claude-v2:1"])
def test_one_model(text: str) -> None:
    """A text whose first part is no list of difficulties is one model, colons and all."""
    assert (parse_model_metadata(text), model_text(text), model_for(text, HIGH)) == (text, text, text)


def test_a_model_for_each() -> None:
    """Letters in any case and order, several for one model, later colons belong to the model."""
    assert parse_model_metadata("h:a:b, lM:c") == {LOW: "c", MEDIUM: "c", HIGH: "a:b"}
    assert model_text("h:a:b, lM:c") == "L:c,M:c,H:a:b"
    assert model_text("LMH:llama3:8b") == "llama3:8b"
    assert model_for("h:a,lm:c", HIGH) == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"), (" ", "is empty"), ("L:a", "leaves out M, H"), ("L:a,L:b,MH:c", "names L twice"),
        ("L:a,M:b,c", "'c' is no list"), ("L:a,X:b", "'X' is no list"), ("L:,MH:b", "no model after 'L'"),
        ("X:a,LMH:b", "'X' is no list"),
    ],
)  # fmt: skip
def test_wrong_mappings(text: str, said: str) -> None:
    """A mapping that is not whole is refused with what is wrong."""
    with pytest.raises(ValueError, match=said):
        parse_model_metadata(text)
