"""The providers that a model string may name without any document: their drivers and default addresses.

Pure table work, no I/O. Called by whoever meets a name such as `openrouter` for which the release holds no Provider.
Several names may stand for one service; credentials go by the name that was used, as documented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from statek.exceptions import StatekError
from statek.ledger.compiled import Backoff, Provider, Retry, Timeouts

TIMEOUT = Timeouts(connect_us=10_000_000, first_byte_us=300_000_000, idle_us=60_000_000, total_us=300_000_000)
RETRY = Retry(max_attempts=4, backoff=Backoff(min_us=500_000, max_us=20_000_000, factor=2.0))


class Credentials(Protocol):
    """What the settings know of a provider."""

    @property
    def api_url(self) -> str:
        """Base url or whole address; '' for the default."""
        ...

    @property
    def api_key(self) -> str:
        """The key itself; '' when the service wants none."""
        ...


@dataclass(frozen=True)
class Known:
    """A service. `base_url` None: every account has its own. `own_models`: it serves its maker's models only."""

    driver: Literal["openai", "anthropic", "gemini"]
    base_url: str | None
    own_models: bool = False


class KeyText(str):
    """A key that does not show in a repr, so that no log of a configuration holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Three stars."""
        return "'***'"


_SERVICES: tuple[tuple[str, Known], ...] = (
    ("OPENAI", Known("openai", "https://api.openai.com/v1", own_models=True)),
    ("OPENROUTER", Known("openai", "https://openrouter.ai/api/v1")),
    ("GROQ", Known("openai", "https://api.groq.com/openai/v1")),
    ("MISTRAL MISTRALAI MISTRAL_AI", Known("openai", "https://api.mistral.ai/v1", own_models=True)),
    ("DEEPSEEK DEEP_SEEK", Known("openai", "https://api.deepseek.com/v1", own_models=True)),
    ("XAI X_AI GROK", Known("openai", "https://api.x.ai/v1", own_models=True)),
    ("TOGETHER TOGETHERAI TOGETHER_AI", Known("openai", "https://api.together.xyz/v1")),
    ("FIREWORKS FIREWORKSAI FIREWORKS_AI", Known("openai", "https://api.fireworks.ai/inference/v1")),
    ("CEREBRAS", Known("openai", "https://api.cerebras.ai/v1", own_models=True)),
    ("PERPLEXITY", Known("openai", "https://api.perplexity.ai", own_models=True)),
    ("SAMBANOVA SAMBA_NOVA", Known("openai", "https://api.sambanova.ai/v1", own_models=True)),
    ("NVIDIA NVIDIA_NIM NIM", Known("openai", "https://integrate.api.nvidia.com/v1")),
    ("NEBIUS", Known("openai", "https://api.studio.nebius.com/v1")),
    ("COHERE", Known("openai", "https://api.cohere.ai/compatibility/v1", own_models=True)),
    ("MOONSHOT MOONSHOTAI MOONSHOT_AI KIMI", Known("openai", "https://api.moonshot.ai/v1", own_models=True)),
    (
        "DASHSCOPE DASH_SCOPE ALIBABA ALIBABA_CLOUD QWEN",
        Known("openai", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", own_models=True),
    ),
    ("CLOUDFLARE CLOUDFLARE_WORKERS_AI WORKERS_AI", Known("openai", None)),
    ("CLOUDFLARE_AI_GATEWAY AI_GATEWAY", Known("openai", None)),
    ("GITHUB GITHUB_MODELS", Known("openai", "https://models.github.ai/inference")),
    ("BEDROCK AMAZON_BEDROCK AWS_BEDROCK", Known("openai", None, own_models=True)),
    ("MICROSOFT_FOUNDRY MS_FOUNDRY AZURE_FOUNDRY", Known("openai", None, own_models=True)),
    ("AZURE_OPENAI AZURE_OPEN_AI", Known("openai", None, own_models=True)),
    (
        "GEMINI_ENTERPRISE GOOGLE_GEMINI_ENTERPRISE GOOGLE_OPENAI",
        Known("openai", "https://generativelanguage.googleapis.com/v1beta/openai", own_models=True),
    ),
    ("OLLAMA", Known("openai", "http://127.0.0.1:11434/v1")),
    ("LMSTUDIO LM_STUDIO", Known("openai", "http://127.0.0.1:1234/v1")),
    ("VLLM", Known("openai", "http://127.0.0.1:8000/v1")),
    ("SGLANG", Known("openai", "http://127.0.0.1:30000/v1")),
    ("LLAMA_CPP LLAMACPP LLAMA_CPP_PYTHON", Known("openai", "http://127.0.0.1:8080/v1")),
    ("GEMINI GOOGLE", Known("gemini", "https://generativelanguage.googleapis.com/v1beta", own_models=True)),
    ("VERTEXAI VERTEX_AI GOOGLE_VERTEXAI", Known("gemini", None, own_models=True)),
    ("CLAUDEAI CLAUDE_AI CLAUDE ANTHROPIC", Known("anthropic", "https://api.anthropic.com/v1", own_models=True)),
)
KNOWN: Mapping[str, Known] = {name: known for names, known in _SERVICES for name in names.split()}
LOCAL = frozenset({"OLLAMA", "LMSTUDIO", "LM_STUDIO", "VLLM", "SGLANG", "LLAMA_CPP", "LLAMACPP", "LLAMA_CPP_PYTHON"})


def find_known(name: str) -> Known | None:
    """The service of that name in any letter case; a dash counts as an underscore."""
    return KNOWN.get(_variable(name))


def needs_no_document(name: str) -> bool:
    """Whether models of that provider can be called without a Provider document: it is known and has one address."""
    known = find_known(name)
    return known is not None and known.base_url is not None


def credentials_for(name: str, credentials: Mapping[str, Credentials]) -> Credentials | None:
    """Those of a provider among the settings', in any letter case; a dash counts as an underscore."""
    return next((api for key, api in credentials.items() if _variable(key) == _variable(name)), None)


def known_provider(name: str, api: Credentials | None) -> Provider:
    """The configuration of a provider that no document describes.

    Args:
        name: as the model string has it; any letter case.
        api: credentials from the settings. None: the default address and `${secret:NAME_API_KEY}`.

    Raises:
        StatekError: for a name that is neither known nor given an address.
    """
    known = find_known(name) or (Known("openai", None) if api is not None else None)
    if known is None:
        raise StatekError(
            f"unknown provider {name!r}: there is no Provider document of that name and no built-in one",
            hint=f"set {_variable(name)}_API_URL and {_variable(name)}_API_KEY, or add a Provider document",
        )
    base_url = (api.api_url if api is not None else "") or known.base_url
    if base_url is None:
        raise StatekError(f"provider {name!r} has no default address", hint=f"set {_variable(name)}_API_URL")
    key, headers = _credentials(name, api, base_url)
    return Provider(
        name=name,
        driver=known.driver,
        base_url=base_url,
        api_key=key,
        headers=headers,
        timeout=TIMEOUT,
        concurrent=None,
        rpm=None,
        tpm=None,
        cost_usd_per_day=None,
        retry=RETRY,
    )


def _credentials(name: str, api: Credentials | None, base_url: str) -> tuple[str | None, dict[str, str]]:
    if api is not None:
        key: str | None = KeyText(api.api_key) if api.api_key else None
    else:
        key = None if _variable(name) in LOCAL else f"${{secret:{_variable(name)}_API_KEY}}"
    vertex = "VERTEX" in _variable(name) or "aiplatform.googleapis.com" in base_url
    if key is not None and vertex:  # Vertex AI takes a token, not the header of the Gemini API
        return None, {"Authorization": KeyText(f"Bearer {key}")}
    return key, {}


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
