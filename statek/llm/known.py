"""The providers that a model string may name without any document: their drivers and default addresses.

Pure table work, no I/O. Called by whoever meets a name such as `openrouter` for which the release holds no Provider.
Several names may stand for one service; credentials go by the name that was used, as documented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Known:
    """A service. `base_url` None: every account has its own. `own_models`: it serves its maker's models only."""

    driver: Literal["openai", "anthropic", "gemini"]
    base_url: str | None
    own_models: bool = False


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
    return KNOWN.get(variable(name))


def needs_no_document(name: str) -> bool:
    """Whether models of that provider can be called without a Provider document: it is known and has one address."""
    known = find_known(name)
    return known is not None and known.base_url is not None


def variable(name: str) -> str:
    """How the names of a provider's environment variables begin."""
    return name.upper().replace("-", "_")
