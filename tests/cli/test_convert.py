"""`statek convert`: prompt files of the older header style become agents that show a model the same prompt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statek.cli.old_prompts import convert_body
from statek.spec.reading.documents import read_documents
from statek.spec.reading.snapshot import SourceFile
from statek.store.prompt import parse_prompt_file, parse_system_prompt, render_prompt
from statek.text import template
from tests.cli.conftest import Statek

ROUTER = """\
# MODEL: openrouter/openai/gpt-5-mini
# TEMPERATURE: 0.1
# CHAT_STYLE: MARKDOWN
# DESCRIPTION: Sorts new helpdesk tickets into the right team inbox

# System Prompt
You sort one helpdesk ticket per job by writing short Python snippets.
Answer in JSON such as {"inbox": "billing"}; {{ and }} are plain.

Names already defined for you: {shared_var_names}, for {customer}.

--- FUNCTIONS ---
{brief_tools}

## Done
Call exit("routed") once the ticket sits in exactly one inbox.
"""
AUDITOR = """\
# MODEL: L:openrouter/openai/gpt-5-nano,MH:openrouter/anthropic/claude-sonnet/rl=40
# DEFAULT_DIFFICULTY: L
# TEMPERATURE: 0
# LLM_TOOLS_SCOPE: APPLICATION+docstr,panic
# POST_PROCESSORS: FinalCheck(max_llm_actions=2)
# EXTRA_RESOURCES: H:tax_expert
# COST_CENTRE: finance-ops

# System Prompt
You check one supplier invoice against its purchase order.

<method>
Compare line by line.
</method>

--- L: SHORT CUTS ---
When the totals agree to the cent, stop early.

--- MH: DEEP CHECK ---
Recompute tax per line.

## Tool reference
{detailed_tools}
"""
DESK = """\
# MODEL: claudeai//claude-haiku
# CHAT_STYLE: DIRECT
# LLM_TOOLS_SCOPE: SYSTEM-panic
# AUTO_LANG_HINT: FALSE
# DESCRIPTION: Talks to patients and books appointments

# System Prompt
You are the front desk of {clinic_name}.

*** HOUSE RULES ***
Never promise a slot before diary.book(...) has returned.
# this line is ordinary prompt text, not metadata
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with three files of the older style, beside a project without anything."""
    (tmp_path / "pyproject.toml").write_text("[tool.statek]\n")
    folder = tmp_path / "prompts"
    folder.mkdir()
    for name, text in (("ticket_router", ROUTER), ("invoice_auditor", AUDITOR), ("clinic_desk", DESK)):
        (folder / f"{name}.md").write_text(text)
    return folder


def split(text: str) -> dict[str, Any]:
    """The front matter of an agent's file, as the kit reads it."""
    (document,) = read_documents([SourceFile("agents/a.md", "agents", text.encode())]).documents
    assert document.node is not None
    data: dict[str, Any] = document.node.data
    return data


def rendered(text: str, inputs: Mapping[str, Any], listing: str) -> str:
    """What a model is shown of a converted prompt."""
    assert template.parse(text).problems == ()
    return template.render(text, partials={}, values={"inputs": inputs, "tools": listing})


def test_the_results_are_valid_agents(statek: Statek, old: Path) -> None:
    """All of them, and the old files are as they were."""
    done = statek("convert", "prompts")

    assert done.code == 0
    assert done.out.splitlines() == [
        f"{old.parent}/agents/{n}.md" for n in ("clinic_desk", "invoice_auditor", "ticket_router")
    ]
    assert statek("validate").out.startswith("valid: 3 objects (3 Agent)")
    assert [path.read_text() for path in sorted(old.iterdir())] == [DESK, AUDITOR, ROUTER]


def test_a_model_sees_the_same_prompt(statek: Statek, old: Path) -> None:
    """With the same values for its parameters."""
    assert statek("convert", "prompts/ticket_router.md").code == 0
    words = ("customer=Ada", 'shared_var_names=["ticket", "desk"]')
    found = statek("render", "ticket_router", *words, "-o", "json").document("Rendered")

    prompt = parse_prompt_file(old / "ticket_router.md").system
    params = {"customer": "Ada", "shared_vars": ["ticket", "desk"]}
    assert found["prompt"] == render_prompt(prompt, None, params=params) + "\n"


def test_every_key_has_its_field(statek: Statek, old: Path) -> None:
    """Those that mean nothing to the kit stay as metadata."""
    statek("convert", "prompts")
    front = (old.parent / "agents/invoice_auditor.md").read_text().split("---\n")[1].splitlines()

    nano, sonnet = "openrouter/openai/gpt-5-nano", "openrouter/anthropic/claude-sonnet/rl=40"
    assert front[1:] == [
        f"model: {{use: {nano}, by_difficulty: {{low: {nano}, medium: {sonnet}, high: {sonnet}}}}}",
        "difficulty: low",
        "params: {temperature: 0}",
        'tools_scope: "APPLICATION+docstr,panic"',
        "post_processors: [{use: FinalCheck, max_llm_actions: 2}]",
        'metadata: {EXTRA_RESOURCES: "H:tax_expert", COST_CENTRE: finance-ops}',
    ]


def test_sections_keep_their_difficulty(statek: Statek, old: Path) -> None:
    """As headings, which sections for a difficulty need."""
    statek("convert", "prompts")
    text = (old.parent / "agents/invoice_auditor.md").read_text()

    assert "\n## SHORT CUTS {difficulty=L}\nWhen the totals" in text
    assert "\n## DEEP CHECK {difficulty=MH}\n" in text
    assert "\n## method\nCompare" in text


def test_what_has_no_counterpart_is_told(statek: Statek, old: Path) -> None:
    """On stderr with file and line, in the document, and in the new file."""
    (old / "odd.md").write_text(
        "# MODEL: a/b\n#KEY: v\n# MODEL: openai/gpt-5\n# CHAT_STYLE: LOUD\n# TEMPERATURE: hot\n"
        "# LLM_TOOLS_SCOPE: +\n# POST_PROCESSORS: Other()\n# DEFAULT_DIFFICULTY: X\n# MAX_TURNS: many\n"
        "# System Prompt\nHello.\n"
    )
    found = statek("convert", "prompts/odd.md", "-o", "json").document("Converted")
    (told,) = found["files"]

    assert [note["line"] for note in told["notes"]] == [1, 1, 2, 4, 5, 6, 7, 8, 9]
    assert told["text"].count("# not taken over (") == 8
    assert "model: openai/gpt-5\n" in told["text"]
    assert statek("validate").code == 0


def test_models_that_no_string_can_name_are_declared(statek: Statek, old: Path) -> None:
    """With their provider, in a file of their own."""
    (old / "one.md").write_text("# MODEL: gpt-5\n# PROVIDER: groq\n# System Prompt\nHello.\n")
    (old / "two.md").write_text("# MODEL: openrouter//gpt-5.1\n# System Prompt\nHello.\n")
    (old / "three.md").write_text("# MODEL: together//meta/llama\n# PROVIDER: x\n# System Prompt\nHello.\n")

    done = statek("convert", "prompts/one.md", "prompts/two.md", "prompts/three.md")

    assert done.code == 0, done.err
    assert statek("validate").out.startswith("valid: 7 objects (3 Agent, 2 Model, 2 Provider)")
    assert "model: gpt-5\n" in (old.parent / "agents/one.md").read_text()
    assert "model: together/meta/llama\n" in (old.parent / "agents/three.md").read_text()
    assert "${secret:GROQ_API_KEY}" in (old.parent / "agents/converted-models.yaml").read_text()


def test_values_are_quoted_where_they_must_be(statek: Statek, old: Path) -> None:
    """So that YAML reads what stood there."""
    header = '# MODEL: llama/llama3:8b\n# DESCRIPTION: a: "b" #c\u2028d\n# 12: no\n# YES: {x}\n'
    (old / "odd.md").write_text(f"{header}# System Prompt\nHello.\n")

    assert statek("convert", "prompts/odd.md").code == 0

    (path,) = (old.parent / "agents").iterdir()
    data = split(path.read_text())
    assert data["model"] == "llama/llama3:8b"
    assert data["description"] == 'a: "b" #c\u2028d'
    assert data["metadata"] == {"12": "no", "YES": "{x}"}


def test_plain_leaves_braces_alone(statek: Statek, old: Path) -> None:
    """For agents whose jobs have no parameters."""
    (old / "plain.md").write_text("# MODEL: a/b\n# System Prompt\nUse f'{total}' and {{x}} and {% y %}.\n")

    assert statek("convert", "prompts/plain.md", "--plain").code == 0

    prompt = statek("render", "plain", "-o", "json").document("Rendered")["prompt"]
    assert prompt == "Use f'{total}' and {{x}} and {% y %}.\n"


def test_a_dry_run_writes_nothing(statek: Statek, old: Path) -> None:
    """And shows the files."""
    done = statek("convert", "prompts", "--dry-run", "--out", "elsewhere")

    assert done.code == 0
    assert "  | chat_style: markdown" in done.out
    assert not (old.parent / "elsewhere").exists()
    assert not (old.parent / "agents").exists()


def test_all_or_none(statek: Statek, old: Path) -> None:
    """One file that is none of that style, and nothing is written; every such file is named."""
    (old / "bad.md").write_text("---\ndescription: x\n---\nHello.\n")
    (old / "no name.md").write_text(ROUTER)
    (old / "latin.md").write_bytes(b"# MODEL: a/b\n# System Prompt\nGr\xfc\xdfe\n")
    (old / "bell.md").write_text("# MODEL: a/b\n# System Prompt\nRing \x07\n")
    (old / "none.md").write_text("# MODEL: a/b\n# System Prompt\n\n")

    done = statek("convert", "prompts")

    assert done.code == 1
    for name, why in (
        ("bad", "'# System Prompt'"),
        ("no name", "rename"),
        ("latin", "UTF-8"),
        ("bell", "U+0007"),
        ("none", "no prompt"),
    ):
        assert any(f"prompts/{name}.md" in line and why in line for line in done.err.splitlines()), done.err
    assert not (old.parent / "agents").exists()


def test_nothing_is_overwritten(statek: Statek, old: Path) -> None:
    """Neither another agent nor the old file itself."""
    assert statek("convert", "prompts/clinic_desk.md").code == 0

    done = statek("convert", "prompts")

    assert (done.code, "clinic_desk.md" in done.err) == (1, True)
    assert statek("convert", "prompts/clinic_desk.md", "--out", "prompts").code == 1
    assert (old / "clinic_desk.md").read_text() == DESK


def test_what_two_difficulties_have_in_common_is_told_once(statek: Statek, old: Path) -> None:
    """One model for two difficulties is one note."""
    header = "# PROVIDER: anthropic\n# MODEL: L:claude-haiku,MH:claude-sonnet\n# DESCRIPTION: One.\n"
    (old / "desk.md").write_text(f"{header}\n# System Prompt\nBe kind.\n")

    done = statek("convert", "prompts/desk.md")

    assert (done.code, done.err.count("'claude-sonnet' is")) == (0, 1)


PIECES = st.sampled_from(
    ["{", "}", "{{", "}}", "{%", "%}", "{#", "#}", "{tools}", "{name}", "{_x}", "{class}", "{shared_var_names}", " ",
     "\n", "x", "-", "--- T ---\n", "## U\n", "```\n", "raw", "endraw", "{% raw %}", "{% endraw %}", '{"a": 1}', "'"],
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join), st.booleans())
def test_whatever_the_braces_the_text_is_the_same(source: str, plain: bool) -> None:
    """Marks of a template come out as they were; parameters are filled as before."""
    prompt = parse_system_prompt(source)
    body = convert_body(prompt, plain=plain)
    params = {**{name: f"<{name}>" for name in body.names}, "shared_vars": ["a", "b"]}
    inputs = {body.names.get(name, name): value for name, value in params.items()}
    inputs["shared_var_names"] = params["shared_vars"]

    wanted = render_prompt(prompt, None, brief_tools="LIST", params=params if body.inputs else {})

    assert rendered(body.text, inputs, "LIST") == wanted
