"""compile_project: defaults, scope, revisions, and that no input makes it fail in another way than by problems."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statek.compiler.project import Compilation, compile_project, in_scope
from statek.ledger import compiled
from statek.spec.problems import SpecProblems

AGENT = "---\ndescription: One agent.\nmodel: openai/gpt-5-mini\n{front}---\n{body}\n"


def project(folder: Path, files: dict[str, str]) -> Path:
    """A project folder with these files."""
    for name, text in {"pyproject.toml": "[tool.statek]\n", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def agent(front: str = "", body: str = "Hello.") -> str:
    """The text of an agent file."""
    return AGENT.format(front=front, body=body)


def value_of(compilation: Compilation, kind: str, name: str) -> compiled.Compiled:
    """The compiled value of one object."""
    assert compilation.problems == ()
    return next(item.value for item in compilation.objects if (item.kind, item.name) == (kind, name))


def revision_of(compilation: Compilation, name: str) -> str:
    """The revision of one object."""
    assert compilation.problems == ()
    return next(item.revision for item in compilation.objects if item.name == name)


def test_limits_of_an_agent_have_the_documented_defaults(tmp_path):
    """An agent without limits gets those of the language."""
    value = value_of(compile_project(project(tmp_path, {"agents/a.md": agent()})), "Agent", "a")
    assert value.limits == compiled.Limits(50, 200_000, None, 3_600_000_000, None, 10, 3, 0, 1)


def test_an_agent_with_subagents_may_start_twenty(tmp_path):
    """Naming subagents is enough to be allowed to start some."""
    files = {"agents/a.md": agent("subagents: [b]\n"), "agents/b.md": agent()}
    value = value_of(compile_project(project(tmp_path, files)), "Agent", "a")
    assert (value.limits.subjobs, value.limits.depth) == (20, 1)


def test_reload_follows_agent_then_environment_then_language(tmp_path):
    """The nearest word on `reload` wins, aspect by aspect."""
    settings_text = '[tool.statek.env.dev.reload]\nprompt = "next-turn"\n'
    files = {"agents/a.md": agent("reload: {prompt: next-job}\n"), "agents/b.md": agent(), "agents/c.md": agent()}
    found = compile_project(project(tmp_path, {**files, "pyproject.toml": settings_text}))
    bare = compile_project(project(tmp_path, files))
    prompts = [value_of(*place).reload.prompt for place in ((found, "Agent", "a"), (found, "Agent", "b"))]
    assert [*prompts, value_of(bare, "Agent", "c").reload.prompt] == ["next-job", "next-turn", "on-resume"]


def test_what_a_running_job_cannot_take_over_waits_for_the_next_job(tmp_path):
    """Model, tools, warmup and limits of a running job stay those it began with."""
    value = value_of(compile_project(project(tmp_path, {"agents/a.md": agent()})), "Agent", "a")
    assert value.reload == compiled.Reload("on-resume", "next-job", "next-job", "next-job", "next-job")


def test_a_short_call_timeout_shortens_its_parts(tmp_path):
    """No default bound of a provider call is longer than the whole call."""
    text = "apiVersion: statek/v1\nkind: Provider\nmetadata: {name: p}\nspec: {timeout: 5s}\n"
    value = value_of(compile_project(project(tmp_path, {"agents/p.yaml": text})), "Provider", "p")
    assert value.timeout == compiled.Timeouts(5_000_000, 5_000_000, 5_000_000, 5_000_000)


def test_deny_takes_tools_away(tmp_path):
    """A denied tool is not among the agent's tools though a pattern uses it."""
    tools = (
        "apiVersion: statek/v1\nkind: ToolSet\nmetadata: {name: s}\nspec: {tools: [{python: 'm:f'}, {python: 'm:g'}]}\n"
    )
    front = "tools: {use: [s/*], deny: [s/g]}\n"
    files = {"agents/a.md": agent(front), "agents/s.yaml": tools, "m.py": "def f(): ...\ndef g(): ...\n"}
    value = value_of(compile_project(project(tmp_path, files)), "Agent", "a")
    assert [tool.name for tool in value.tools] == ["f"]


def test_only_variables_that_the_prompt_reads_are_kept(tmp_path):
    """A variable that a prompt does not use is no part of the agent."""
    files = {
        "pyproject.toml": '[tool.statek.env.dev]\nvars = {REGION = "eu", OTHER = "x"}\n',
        "agents/a.md": agent(body="{{ vars.REGION }}"),
    }
    assert value_of(compile_project(project(tmp_path, files)), "Agent", "a").vars == {"REGION": "eu"}


def test_references_to_secrets_stay_in_the_text(tmp_path):
    """No secret is resolved by compiling."""
    text = "apiVersion: statek/v1\nkind: Provider\nmetadata: {name: p}\nspec: {api_key: '${secret:KEY}'}\n"
    value = value_of(compile_project(project(tmp_path, {"agents/p.yaml": text})), "Provider", "p")
    assert value.api_key == "${secret:KEY}"


def test_the_text_of_an_object_decodes_to_its_value():
    """What is stored is the whole value."""
    compilation = compile_project(Path(__file__).parents[1] / "examples" / "valid" / "every-form")
    for item in compilation.objects:
        assert compiled.decode(item.kind, item.text) == item.value


@pytest.mark.parametrize(
    "same",
    [
        "---\n# a comment\nmodel: 'openai/gpt-5-mini'\ndescription:   One agent.\n---\nHello.\n",
        "---\ndescription: One agent.\nmodel: openai/gpt-5-mini\nlabels: {a: b}\nx-note: 1\n---\nHello.\n",
        "---\ndescription: One agent.\nmodel: openai/gpt-5-mini\n---\r\nHello.\r\n",
    ],
)
def test_what_changes_no_behaviour_changes_no_revision(tmp_path, same):
    """Comments, order, quotes, labels, notes and line ends leave the revision as it is, and its text."""
    before = compile_project(project(tmp_path, {"agents/a.md": agent()}))
    after = compile_project(project(tmp_path, {"agents/a.md": same}))
    assert revision_of(before, "a") == revision_of(after, "a")
    assert before.objects[0].text == after.objects[0].text


def test_a_moved_line_of_a_warmup_changes_no_revision(tmp_path):
    """Where a block stands in its file is no part of a revision, neither the warmup's nor the agent's."""
    files = {"agents/a.md": agent("warmup: w\n"), "warmups/w.py": "x = 1\n# ----------\nprint(x)\n"}
    before = compile_project(project(tmp_path, files))
    after = compile_project(project(tmp_path, {**files, "warmups/w.py": "\n\n" + files["warmups/w.py"]}))
    assert [(item.revision, item.text) for item in before.objects] == [
        (item.revision, item.text) for item in after.objects
    ]


def test_a_moved_file_keeps_its_revision(tmp_path):
    """Where a file lies is no part of the revision."""
    before = compile_project(project(tmp_path, {"agents/a.md": agent()}))
    (tmp_path / "agents/deeper").mkdir()
    (tmp_path / "agents/a.md").rename(tmp_path / "agents/deeper/a.md")
    assert revision_of(before, "a") == revision_of(compile_project(tmp_path), "a")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("agents/a.md", agent("warmup: w\n", '{% include "tone" %} Hi.')),
        ("agents/_tone.md", "Be brief.\n"),
        ("warmups/w.py", "print(2)\n"),
    ],
)
def test_what_changes_behaviour_changes_the_revision(tmp_path, path, text):
    """Prompt, partial and warmup are part of the agent's revision."""
    files = {
        "agents/a.md": agent("warmup: w\n", '{% include "tone" %} Hello.'),
        "agents/_tone.md": "Be kind.\n",
        "warmups/w.py": "print(1)\n",
    }
    before = compile_project(project(tmp_path, files))
    after = compile_project(project(tmp_path, {**files, path: text}))
    assert revision_of(before, "a") != revision_of(after, "a")


def test_scope_is_what_lies_under_the_paths():
    """Objects are in scope by the place of their file."""
    folder = Path(__file__).parents[1] / "examples" / "valid" / "help-desk"
    compilation = compile_project(folder)
    assert {item.name for item in in_scope(compilation, [folder / "queues"])} == {"support", "support-dead"}
    assert [item.name for item in in_scope(compilation, [folder / "agents/triage.md"])] == ["triage"]
    assert in_scope(compilation, [folder]) == compilation.objects


def test_an_object_knows_its_lines():
    """A document in the middle of a file has its own first and last line."""
    compilation = compile_project(Path(__file__).parents[1] / "examples" / "valid" / "help-desk")
    places = {item.name: (item.file, item.line, item.end_line) for item in compilation.objects}
    assert places["support"] == ("queues/support.yaml", 2, 11)
    assert places["support-dead"] == ("queues/support.yaml", 13, 16)


def test_without_a_project_there_is_no_compilation():
    """A folder that is no project is refused with what was looked for."""
    with pytest.raises(SpecProblems, match=r"pyproject\.toml.*agents.*statek init"):
        compile_project(Path("/"))


def test_compiling_twice_gives_the_same(tmp_path):
    """Nothing of time or order gets into the result."""
    folder = Path(__file__).parents[1] / "examples" / "valid" / "every-form"
    assert compile_project(folder).objects == compile_project(folder).objects


NASTY = st.text(alphabet=st.sampled_from(list("---\n: []{}&*!|>'\"%@`#,?<\tax1\u2028{{%}}.$\\")), max_size=60)
BASE = Path(__file__).parents[1] / "examples" / "valid" / "every-form"
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(front=NASTY, body=NASTY)
def test_no_agent_text_gets_past_the_problems(tmp_path, front, body):
    """Whatever stands in an agent file, the result is a compilation."""
    compile_project(project(tmp_path, {"agents/a.md": agent(front + "\n", body)}))


@FUZZ
@given(raw=st.binary(max_size=80) | NASTY.map(str.encode))
def test_no_bytes_get_past_the_problems(tmp_path, raw):
    """Whatever bytes a file of any kind holds, the result is a compilation."""
    folder = project(tmp_path, {"agents/b.md": agent("warmup: w\n"), "warmups/w.py": "", "agents/c.yaml": ""})
    for name in ("agents/a.md", "agents/c.yaml", "warmups/w.py"):
        (folder / name).write_bytes(raw)
    compile_project(folder)


@FUZZ
@given(st.data())
def test_no_broken_example_gets_past_the_problems(tmp_path, data):
    """Cutting, doubling and swapping pieces of good files gives problems, nothing else."""
    name = data.draw(st.sampled_from(["agents/full.md", "agents/m.yaml", "queues/q.yaml", "warmups/start.py"]))
    text = (BASE / name).read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    new = data.draw(st.sampled_from(["", "x", "[]", "{}", "null", "-1", "yes: 1\n", text[start:end] * 2]) | NASTY)
    compilation = compile_project(project(tmp_path, {name: text[:start] + new + text[end:]}))
    assert json.dumps([problem.message for problem in compilation.problems])


def test_the_scope_of_formal_tools_is_metadata(tmp_path):
    """What an agent says of formal tools stands where agents made in Python have it."""
    found = compile_project(project(tmp_path, {"agents/a.md": agent("tools_scope: ALL-f\n"), "agents/b.md": agent()}))
    assert [value_of(found, "Agent", name).metadata for name in "ab"] == [{"LLM_TOOLS_SCOPE": "ALL-f"}, {}]


def test_a_tool_that_runs_in_a_thread(tmp_path):
    """Options of a tool reach the compiled one; one that is not used leaves the text as it was."""
    spec = "spec: {tools: [{python: 'm:f', thread: true, timeout: 5s}, {python: 'm:g'}]}\n"
    text = f"apiVersion: statek/v1\nkind: ToolSet\nmetadata: {{name: s}}\n{spec}"
    files = {"agents/t.yaml": text, "m.py": "def f(): ...\n\ndef g(): ...\n"}
    value = value_of(compile_project(project(tmp_path, files)), "ToolSet", "s")
    assert [(tool.thread, tool.timeout_us) for tool in value.tools] == [(True, 5_000_000), (False, None)]
    assert compiled.encode(value).count("thread") == 1
