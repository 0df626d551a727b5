"""Settings from the environment, and references to it."""

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from statek import settings as module
from statek.exceptions import StatekError
from statek.settings import (
    ChatStyle,
    LLM_API_Settings,
    MultiSourceBaseSettings,
    PromptDef,
    SettingValuesSource,
    StatekSettings,
    get_provider_settings,
    get_statek_logger,
    get_statek_settings,
    resolve_references,
    set_statek_settings,
    statek_log,
)

KEY = "sk-canary-123456789"


@pytest.fixture(autouse=True)
def env(monkeypatch, tmp_path):
    """An empty environment and working directory; sets variables."""
    for name in list(os.environ):
        if name.startswith(("STATEK_", "DEFAULT_LLM")) or name.endswith(("_API_URL", "_API_KEY")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    level = get_statek_logger().level
    set_statek_settings(None)
    yield monkeypatch.setenv
    set_statek_settings(None)
    get_statek_logger().setLevel(level)


class Vault(SettingValuesSource):
    def __init__(self, **values):
        super().__init__()
        self.values = values

    def get_value(self, field_name):
        return self.values.get(field_name)


DEFAULTS = {
    "default_llm_api_provider": "OPENROUTER", "store": None, "ledger": None, "prompt_files_dir": None,
    "warmup_defs_dir": None, "logs_path": None, "logs_max_bytes": 10_000_000, "log_level": "ERROR",
    "max_turns": 5, "max_exceptions": 3, "max_consecutive_exceptions": 1, "max_token_usage": 10_000,
    "limit_extension_per_completion": 0.0,
    "chat_style": None, "python_sandbox_mode": "restricted",
}  # fmt: skip


def test_defaults():
    """Without an environment the documented defaults hold."""
    settings = StatekSettings()
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("STATEK_LOG_LEVEL", "info", "log_level", "INFO"),
        ("STATEK_LOGS_PATH", "./statek-logs", "logs_path", "./statek-logs"),
        ("STATEK_STORE", "/s", "store", "/s"),
        ("STATEK_LEDGER", "/l", "ledger", "/l"),
        ("STATEK_MAX_TURNS", "9", "max_turns", 9),
        ("STATEK_LIMIT_EXTENSION_PER_COMPLETION", "0.5", "limit_extension_per_completion", 0.5),
        ("STATEK_CHAT_STYLE", "md_dialog", "chat_style", ChatStyle.MD_DIALOG),
        ("STATEK_WARMUP_DEFS_DIR", "w", "warmup_defs_dir", "w"),
        ("STATEK_MODEL_INFO_DIR", "m", "statek_model_info_dir", "m"),
        ("STATEK_PYTHON_SANDBOX_MODE", "OFF", "python_sandbox_mode", "off"),
        ("STATEK_PYTHON_SANDBOX_ALLOWED_TOOLS", "a,b", "python_sandbox_allowed_tools", "a,b"),
        ("STATEK_PYTHON_SANDBOX_ALLOWED_IMPORTS", "math", "python_sandbox_allowed_imports", "math"),
        ("DEFAULT_LLM_API_PROVIDER", "claude", "default_llm_api_provider", "claude"),
    ],
)
def test_variables(env, variable, text, field, value):
    """Each documented variable sets its field."""
    env(variable, text)
    assert getattr(StatekSettings(), field) == value


@pytest.mark.parametrize(
    ("variable", "field"), [("MAX_TURNS", "max_turns"), ("LOG_LEVEL", "log_level"), ("STORE", "store")]
)
def test_bare_names_mean_nothing(env, variable, field):
    """A variable without the prefix belongs to somebody else."""
    env(variable, "7")
    assert getattr(StatekSettings(), field) == DEFAULTS[field]


def test_precedence(env, tmp_path):
    """Constructor, then sources in order, then environment, then .env."""
    (tmp_path / ".env").write_text("STATEK_MAX_TURNS=1\nSTATEK_MAX_EXCEPTIONS=1\nSTATEK_LOGS_PATH=dot\n")
    env("STATEK_MAX_TURNS", "2")
    env("STATEK_MAX_EXCEPTIONS", "2")
    vaults = [Vault(max_turns=3), Vault(max_turns=4)]
    settings = StatekSettings(sources=vaults, log_level="INFO")
    assert (settings.max_turns, settings.max_exceptions, settings.logs_path) == (3, 2, "dot")
    assert StatekSettings(sources=vaults, max_turns=5).max_turns == 5


@pytest.mark.parametrize(
    ("field", "value"), [("max_turns", "many"), ("max_turns", -1), ("chat_style", "LOUD"), ("log_level", "SHOUT"),
                         ("python_sandbox_mode", "maybe")]
)  # fmt: skip
def test_bad_values(env, field, value):
    """A value that does not fit is an error that names its field or its word."""
    with pytest.raises(ValueError, match=rf"{field}|{value}"):
        StatekSettings(**{field: value})


def test_discovery(env):
    """A pair of address and key in the environment is a provider; one of them alone is none."""
    env("OPENROUTER_API_URL", "https://openrouter.ai/api/v1")
    env("OPENROUTER_API_KEY", KEY)
    env("LONELY_API_URL", "https://x.test")
    settings = StatekSettings()
    assert list(settings.llm_api_settings) == ["OPENROUTER"]
    assert settings.get_provider_settings().api_url == "https://openrouter.ai/api/v1"


def test_a_secret_in_dotenv_is_the_one_of_now(env, tmp_path):
    """An edited file is read again, a missing one says nothing, and the environment beats it."""
    settings, file = StatekSettings(), tmp_path / ".env"
    found = [settings.secret("ACME_PIN")]
    for text in ("ACME_PIN=one\n", "ACME_PIN=three\n"):
        file.write_text(text)
        found.append(settings.secret("ACME_PIN"))
    env("ACME_PIN", "outside")
    assert [*found, settings.secret("ACME_PIN")] == [None, "one", "three", "outside"]


def test_discovery_in_dotenv_and_sources(env, tmp_path):
    """Credentials are found in .env too, and a source's value beats the environment's."""
    (tmp_path / ".env").write_text("ACME_API_URL=https://x.test\nACME_API_KEY=dotted\nACME_USE_PROMPT_CACHING=yes\n")
    assert StatekSettings().get_provider_settings("ACME").use_prompt_caching
    assert StatekSettings(sources=[Vault(ACME_API_KEY="vaulted")]).get_provider_settings("ACME").api_key == "vaulted"


def test_given_credentials_are_used(env):
    """Credentials in a settings object are used, not only those of the environment."""
    set_statek_settings(StatekSettings(llm_api_settings={"OPENROUTER": LLM_API_Settings(api_url="u", api_key=KEY)}))
    assert get_provider_settings().api_key == KEY
    assert get_statek_settings().secret("OPENROUTER_API_KEY") == KEY


def test_no_repr_and_no_error_shows_a_key(env):
    """A key is in no repr and in no validation error."""
    env("ACME_API_URL", "u")
    env("ACME_API_KEY", KEY)
    with pytest.raises(ValidationError) as caught:
        LLM_API_Settings(api_key=KEY)
    assert KEY not in f"{StatekSettings()!r} {StatekSettings()} {caught.value}"


def test_stray_variables_fill_no_credentials(env):
    """A bare API_KEY of another program is not taken."""
    env("API_KEY", KEY)
    env("API_URL", "u")
    with pytest.raises(ValidationError):
        LLM_API_Settings()


def test_secret_reads_now(env):
    """A secret is read when it is asked for; empty counts as unset."""
    settings = StatekSettings()
    env("LATE", "x")
    env("HOLLOW", "")
    assert (settings.secret("LATE"), settings.secret("HOLLOW"), settings.secret("NEVER")) == ("x", None, None)


def test_references(env):
    """References to secrets and variables are replaced, other text stays."""
    env("A", "1")
    env("B", "2")
    assert resolve_references("${secret:A}-${env:B} $A {x}", StatekSettings()) == "1-2 $A {x}"


@pytest.mark.parametrize("text", ["${secret:NOPE}", "${env:NOPE}", "${var:NOPE}"])
def test_bad_references(text):
    """An unset variable and an unknown kind are errors that name it."""
    with pytest.raises(StatekError, match="NOPE"):
        resolve_references(text, StatekSettings())


def test_values_are_not_references_again(env):
    """A value that looks like a reference is not followed."""
    env("A", "${secret:B}")
    assert resolve_references("${secret:A}", StatekSettings()) == "${secret:B}"


PROMPT = "# MODEL: openrouter/openai/gpt-5-mini\n# temperature: 0.1\n\n# System Prompt\nYou sort.\n# not metadata\n"


def test_prompt_files(tmp_path):
    """Prompt files are read by stem: metadata above the heading, the prompt below."""
    (tmp_path / "router.md").write_text(PROMPT)
    (tmp_path / "README.md").write_text("# About\n")
    settings = StatekSettings(prompt_files_dir=str(tmp_path))
    metadata = {"MODEL": "openrouter/openai/gpt-5-mini", "TEMPERATURE": "0.1"}
    assert settings.prompt_defs == {"router": PromptDef("You sort.\n# not metadata", metadata)}
    assert settings.get_prompt_def("router").metadata == metadata


@pytest.mark.parametrize(
    ("text", "where"), [("# MODEL: x\n# System\nhi", "System Prompt"), ("\n#MODEL: x\n# System Prompt", "router.md:2")]
)
def test_bad_prompt_files(tmp_path, text, where):
    """A file without the heading, or with a misspelt header line, is an error that says where."""
    (tmp_path / "router.md").write_text(text)
    with pytest.raises(ValueError, match=where):
        StatekSettings(prompt_files_dir=str(tmp_path))


def test_missing_prompt_folder():
    """A prompt folder that does not exist holds no prompts."""
    assert StatekSettings(prompt_files_dir="/nowhere/at/all").prompt_defs == {}


def test_accessors_are_cached_and_replaceable(env):
    """The process's settings are read once, until others are set."""
    first = get_statek_settings()
    env("STATEK_MAX_TURNS", "9")
    assert get_statek_settings() is first
    mine = StatekSettings(max_turns=2)
    set_statek_settings(mine)
    assert get_statek_settings() is mine
    set_statek_settings(None)
    assert get_statek_settings().max_turns == 9


def test_setting_the_settings_sets_the_log_level():
    """Making settings the process's sets the logger; constructing them does not."""
    before = get_statek_logger().level
    settings = StatekSettings(log_level="info")
    assert get_statek_logger().level == before
    set_statek_settings(settings)
    assert get_statek_logger().level == 20


def test_provider_settings_can_be_read_again(env):
    """`get_provider_settings` gives the same object until its cache is cleared."""
    env("ACME_API_URL", "u")
    env("ACME_API_KEY", "1")
    first = get_provider_settings("ACME")
    assert get_provider_settings("ACME") is first
    env("ACME_API_KEY", "2")
    get_provider_settings.cache_clear()
    assert get_provider_settings("ACME").api_key == "2"


def test_module_offers_the_documented_names():
    """The documented names import from this path."""
    names = """StatekSettings LLM_API_Settings get_statek_settings set_statek_settings get_provider_settings
               get_prompt_def set_log_level get_statek_logger ChatStyle"""
    assert [name for name in names.split() if not hasattr(module, name)] == []


def test_xml_box_tags():
    """Only configured tags are listed."""
    assert StatekSettings(xml_box_console="out").get_xml_box_tags() == {"console": "out"}


def test_log_of_an_application(caplog):
    """A message stands between two rules; an unknown level counts as info."""
    with caplog.at_level("INFO", logger="statek"):
        statek_log("hello", "warning")
        statek_log("again", "loud")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.records[0].getMessage() == f"{'-' * 40}\nhello\n{'-' * 40}"


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("STATEK_EXAMPLES_DIR", "x", "examples_dir has no effect"),
        ("STATEK_DOCUMENTS_DIR", "x", "documents_dir has no effect"),
        ("STATEK_EXAMPLES_STYLE", "console", "examples_style has no effect"),
        ("STATEK_XML_BOX_EXAMPLE", "x", "xml_box_example has no effect"),
        ("STATEK_PYTHON_SANDBOX_MODE", "off", "python_sandbox_mode 'off' has no effect"),
        ("ACME_USE_PROMPT_CACHING", "true", "use_prompt_caching of ACME has no effect"),
        ("STATEK_MAX_TURN", "3", "STATEK_MAX_TURN is no setting and has no effect; did you mean 'STATEK_MAX_TURNS'?"),
    ],
)
def test_what_has_no_effect_is_told(env, variable, value, line):
    """Settings become the process's with a warning for each that nothing acts on."""
    for name, said in (("ACME_API_URL", "http://a"), ("ACME_API_KEY", KEY), (variable, value)):
        env(name, said)
    with pytest.warns(UserWarning, match=re.escape(line)) as found:
        set_statek_settings(StatekSettings())
    assert len(found) == 1


def test_strange_keywords_are_told():
    """A keyword that is no setting is left out with a warning."""
    with pytest.warns(UserWarning, match="max_turn is no setting and has no effect; did you mean 'max_turns'"):
        assert StatekSettings(max_turn=7).max_turns == 5


def test_every_setting_is_read_or_told():
    """Each field is read by some module, or is told to have no effect."""
    sources = "".join(path.read_text() for path in Path(module.__file__).parent.rglob("*.py"))
    unread = {name for name in StatekSettings.model_fields if not re.search(rf"\.{name}\b", sources)}
    assert unread <= set(module._IDLE)


def test_an_application_reads_its_own_variables(env):
    """Settings of an application are read from variables of their own names, and from sources before them."""

    class Mine(MultiSourceBaseSettings):
        colour: str = "red"

    env("COLOUR", "green")
    env("STATEK_COLOUR", "blue")
    assert Mine().colour == "green"
