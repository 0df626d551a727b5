"""Which revision a job uses: agents, models, providers and queues of the applied release, decoded once.

Reads the ledger's releases; moved only by the scheduler when it takes in a release, between two stretches. Agents made
in Python have no release: their offer comes from their definition, their tools and their context as they are now, and
is kept as long as all of these are the same. Environments, which are dear, are kept with their offers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from statek.exceptions import NotApplied
from statek.ledger import compiled, releases
from statek.ledger.file import LedgerFile
from statek.runtime import delegation
from statek.runtime import offer as offers
from statek.runtime.environment import Environment
from statek.runtime.offer import Offer
from statek.settings import get_statek_settings
from statek.store import agent as store_agent
from statek.store import root as store_root

POOL = 200  # environments kept for jobs to come, per offer
MADE = 100  # offers of agents made in Python that are kept


class Pools:
    """Environments for jobs to come, by offer."""

    def __init__(self) -> None:
        """Keep none yet."""
        self._kept: dict[int, tuple[Offer, list[Environment]]] = {}

    def keep(self, offer: Offer) -> None:
        """Keep environments of this offer from now on."""
        self._kept[id(offer)] = (offer, [])

    def drop(self, offer: Offer) -> None:
        """Keep none of them any more."""
        self._kept.pop(id(offer), None)

    def borrow(self, offer: Offer) -> Environment:
        """One that serves nobody."""
        _, pool = self._kept.get(id(offer), (offer, []))
        return pool.pop() if pool else Environment(offer)

    def give_back(self, offer: Offer, environment: Environment) -> None:
        """Take one back."""
        environment.leave()
        _, pool = self._kept.get(id(offer), (offer, None))
        if pool is not None and len(pool) < POOL:
            pool.append(environment)


@dataclass(frozen=True)
class _Made:
    """An offer, and the tools and values it was made of: it is good as long as an agent has these very ones."""

    offer: Offer
    names: tuple[str, ...]
    values: tuple[object, ...]

    def is_of(self, names: tuple[str, ...], values: tuple[object, ...]) -> bool:
        return (self.names, len(self.values)) == (names, len(values)) and all(map(_is_same, self.values, values))


class PythonOffers:
    """Offers of agents made in Python, with their environments. Of definitions that differ in parameters only: one."""

    def __init__(self) -> None:
        """Know none yet."""
        self.pools = Pools()
        self._made: dict[tuple[Any, ...], _Made] = {}

    def of_def(self, job_def: Any, limits: compiled.Limits) -> Offer:
        """The offer of a definition. Raises StatekError for a tool that is none."""
        agent, settings = job_def.agent, get_statek_settings()
        allowed = offers.allowances(settings)
        key = (agent.role, limits, settings.limit_extension_per_completion, allowed, *job_def.face)
        names, values = _parts(agent)
        found = self._made.get(key)
        if found is not None and found.is_of(names, values):
            return found.offer
        offer = offers.from_python(job_def, limits, allowed)
        self._drop([key, *list(self._made)[: len(self._made) + 1 - MADE]])
        self._made[key] = _Made(offer, names, values)
        self.pools.keep(offer)
        return offer

    def _drop(self, keys: Iterable[tuple[Any, ...]]) -> None:
        for key in keys:
            gone = self._made.pop(key, None)
            if gone is not None:
                self.pools.drop(gone.offer)


PYTHON_OFFERS = PythonOffers()
"""Those of this process: single steps have no catalog that outlives them."""


class Catalog:
    """Offers and declared objects, by name and revision."""

    def __init__(self, ledger: LedgerFile | None, limits: compiled.Limits = offers.DOCUMENTED_LIMITS) -> None:
        """Start with nothing applied; `limits` are those of agents made in Python."""
        self._ledger = ledger
        self._limits = limits
        self._offers: dict[str, Offer] = {}
        self._pools = Pools()
        self._starts: dict[str, tuple[Any, Offer]] = {}
        self.release = ""
        self.models: Mapping[str, compiled.Model] = {}
        self.providers: Mapping[str, compiled.Provider] = {}
        self.scripts: Mapping[str, compiled.Script] = {}
        self.queues: Mapping[str, compiled.Queue] = {}
        self.fleets: Mapping[str, compiled.Fleet] = {}
        self.agents: Mapping[str, compiled.Agent] = {}
        self._agents: dict[str, tuple[compiled.Agent, str]] = {}

    def use(self, release_id: str) -> None:
        """Make a release of the ledger the one that new work uses. Raises LedgerError when it is unknown."""
        if not release_id or self._ledger is None:
            return
        found: dict[str, dict[str, Any]] = {kind: {} for kind in compiled.KINDS}
        for entry in releases.read_release(self._ledger, release_id).objects.values():
            found[entry.kind][entry.name] = (compiled.decode(entry.kind, entry.text), entry.revision)
        self._agents = found["Agent"]
        self.agents = _values(found["Agent"])
        self.models = _values(found["Model"])
        self.providers = _values(found["Provider"])
        self.scripts = _values(found["Script"])
        self.queues = _values(found["Queue"])
        self.fleets = _values(found["Fleet"])
        self.release = release_id
        self._starts.clear()

    @property
    def agent_names(self) -> list[str]:
        """Names of the agents of the release."""
        return sorted(self._agents)

    def head_revision(self, role: str) -> str | None:
        """The revision of that agent in the release, or None when it has none."""
        return self._agents[role][1] if role in self._agents else None

    def stored_agent(self, role: str) -> Any:
        """The stored agent of the release's revision, or the newest made in Python. Raises NotApplied."""
        if role in self._agents:
            agent, revision = self._agents[role]
            return store_agent.spec_agent(role, revision, agent.model[0])
        found = store_root.find_agent(role=role)
        if found is None or found.revision:
            raise NotApplied(f"there is no agent {role!r}", hint=f"applied: {', '.join(self.agent_names) or 'nothing'}")
        return found

    def start_of(self, role: str) -> tuple[Any, Offer]:
        """Definition and offer of a new job of that agent. Raises NotApplied."""
        known = self._starts.get(role)
        if known is None:
            agent = self.stored_agent(role)
            job_def = delegation.definition(agent, None, None, None)
            known = (job_def, self.of_def(job_def))
            if agent.revision and agent.warmup_def is None:  # what a spec made never changes
                self._starts[role] = known
        return known

    def definitions_went(self) -> None:
        """Definitions that nobody used may have left the store: what is remembered of them is not there any more."""
        self._starts.clear()

    def of(self, job: Any) -> Offer:
        """The offer that a job was started with."""
        return self.of_def(job.job_def)

    def of_def(self, job_def: Any) -> Offer:
        """The offer of a definition."""
        agent = job_def.agent
        if agent.revision:
            return self.of_revision(agent.role, agent.revision)
        return PYTHON_OFFERS.of_def(job_def, self._limits)

    def of_revision(self, role: str, revision: str) -> Offer:
        """The offer of a compiled revision."""
        if revision not in self._offers:
            assert self._ledger is not None
            text = releases.revision_text(self._ledger, "Agent", revision)
            agent = compiled.decode("Agent", text)
            assert isinstance(agent, compiled.Agent), role
            others = {name: value for name, (value, _) in self._agents.items()}
            allowed = offers.allowances(get_statek_settings())
            self._offers[revision] = offers.from_spec(agent, revision, others, allowed)
            self._pools.keep(self._offers[revision])
        return self._offers[revision]

    def prompt_offer(self, mine: Offer, *, woke: bool) -> Offer:
        """The offer whose prompt the next turn of a job of `mine` sends, by the reload policy of its agent."""
        if mine.spec is None or mine.role not in self._agents:
            return mine
        policy = mine.spec.reload.prompt
        if policy == "next-turn" or (policy == "on-resume" and woke):
            return self.of_revision(mine.role, self._agents[mine.role][1])
        return mine

    def borrow(self, offer: Offer) -> Environment:
        """An environment for one job; give it back when the job's running side ends."""
        return self._pools_of(offer).borrow(offer)

    def give_back(self, offer: Offer, environment: Environment) -> None:
        """Take an environment back."""
        self._pools_of(offer).give_back(offer, environment)

    def _pools_of(self, offer: Offer) -> Pools:
        return self._pools if offer.revision else PYTHON_OFFERS.pools

    @property
    def fleet(self) -> compiled.Fleet | None:
        """The declared fleet, when there is exactly one."""
        return next(iter(self.fleets.values())) if len(self.fleets) == 1 else None


def _values(found: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    return {name: value for name, (value, _) in found.items()}


def _parts(agent: Any) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """What an agent gives its jobs to call and to see: names, and the tools and values themselves."""
    context = agent.context
    return tuple(context), (*agent.all_tools, *context.values())


def _is_same(one: object, other: object) -> bool:
    return one is other
