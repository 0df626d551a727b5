"""What an environment puts in the place of what the files say: Models by other names, and its variables.

`[tool.statek.env.live.models]` with `desk = "desk-live"` lets every agent that says `model: desk` use `desk-live`
there. One step only; fallbacks that a Model names itself stay as they are.
"""

from collections.abc import Iterator
from dataclasses import replace

from statek.base.nearest import did_you_mean
from statek.spec.formats import is_model_name
from statek.spec.merging.variables import variables
from statek.spec.problems import Problem, make_problem
from statek.spec.reading.project import FILE, EnvConfig, ProjectConfig
from statek.spec.types import SpecSet


def check_environments(specs: SpecSet, config: ProjectConfig) -> Iterator[Problem]:
    """Models of any environment that are not declared."""
    for env in config.envs.values():
        for name, other in env.models.items():
            missing = [word for word in (name, other) if is_model_name(word) and not specs.may_exist("Model", word)]
            if missing:
                hint = did_you_mean(missing[0], specs.names("Model"), also="declared Models")
                message = f"Model '{missing[0]}' in models of environment '{env.name}' is not defined{hint}"
                where = config.place("tool", "statek", "env", env.name, "models", name)
                yield make_problem("STK201", message, FILE, where)


def environment_of(specs: SpecSet, config: ProjectConfig, env: str) -> EnvConfig:
    """The environment with all of its variables: those of its Overlays win over those of the settings."""
    found = config.env(env)
    return replace(found, vars=variables(found, specs))


def model_in(env: EnvConfig, name: str) -> str:
    """The Model that an agent gets in `env` when it says `name`."""
    return env.models.get(name, name)
