"""Which revision a job uses: agents, models, providers and queues of the applied release, decoded once.

Reads the ledger's releases; moved only by the scheduler when it takes in a release, between two stretches. Agents made
in Python have no release: their offer comes from their definition.
"""

from collections.abc import Mapping
from typing import Any

from statek.exceptions import NotApplied
from statek.ledger import compiled, releases
from statek.ledger.file import LedgerFile
from statek.runtime import offer as offers
from statek.runtime.environment import Environment
from statek.runtime.offer import Offer
from statek.store import agent as store_agent
from statek.store import root as store_root

POOL = 200  # environments kept for jobs to come, per offer


class Catalog:
    """Offers and declared objects, by name and revision."""

    def __init__(self, ledger: LedgerFile | None, limits: compiled.Limits = offers.DOCUMENTED_LIMITS) -> None:
        """Start with nothing applied; `limits` are those of agents made in Python."""
        self._ledger = ledger
        self._limits = limits
        self._offers: dict[str, Offer] = {}
        self._pools: dict[str, list[Environment]] = {}
        self.release = ""
        self.models: Mapping[str, compiled.Model] = {}
        self.providers: Mapping[str, compiled.Provider] = {}
        self.scripts: Mapping[str, compiled.Script] = {}
        self.queues: Mapping[str, compiled.Queue] = {}
        self.fleets: Mapping[str, compiled.Fleet] = {}
        self._agents: dict[str, tuple[compiled.Agent, str]] = {}

    def use(self, release_id: str) -> None:
        """Make a release of the ledger the one that new work uses. Raises LedgerError when it is unknown."""
        if not release_id or self._ledger is None:
            return
        found: dict[str, dict[str, Any]] = {kind: {} for kind in compiled.KINDS}
        for entry in releases.read_release(self._ledger, release_id).objects.values():
            found[entry.kind][entry.name] = (compiled.decode(entry.kind, entry.text), entry.revision)
        self._agents = found["Agent"]
        self.models = _values(found["Model"])
        self.providers = _values(found["Provider"])
        self.scripts = _values(found["Script"])
        self.queues = _values(found["Queue"])
        self.fleets = _values(found["Fleet"])
        self.release = release_id

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

    def of(self, job: Any) -> Offer:
        """The offer that a job was started with."""
        return self.of_def(job.job_def)

    def of_def(self, job_def: Any) -> Offer:
        """The offer of a definition."""
        agent = job_def.agent
        if agent.revision:
            return self.of_revision(agent.role, agent.revision)
        return offers.from_python(job_def, self._limits)

    def of_revision(self, role: str, revision: str) -> Offer:
        """The offer of a compiled revision."""
        if revision not in self._offers:
            assert self._ledger is not None
            text = releases.revision_text(self._ledger, "Agent", revision)
            agent = compiled.decode("Agent", text)
            assert isinstance(agent, compiled.Agent), role
            others = {name: value for name, (value, _) in self._agents.items()}
            self._offers[revision] = offers.from_spec(agent, revision, others)
        return self._offers[revision]

    def prompt_offer(self, job: Any, *, woke: bool) -> Offer:
        """The offer whose prompt the next turn sends, by the reload policy of the job's agent."""
        mine = self.of(job)
        if mine.spec is None or job.agent.role not in self._agents:
            return mine
        policy = mine.spec.reload.prompt
        if policy == "next-turn" or (policy == "on-resume" and woke):
            return self.of_revision(job.agent.role, self._agents[job.agent.role][1])
        return mine

    def borrow(self, offer: Offer) -> Environment:
        """An environment for one job; give it back when the job's running side ends."""
        pool = self._pools.get(offer.revision) if offer.revision else None
        return pool.pop() if pool else Environment(offer)

    def give_back(self, offer: Offer, environment: Environment) -> None:
        """Take an environment back."""
        environment.leave()
        if offer.revision:
            pool = self._pools.setdefault(offer.revision, [])
            if len(pool) < POOL:
                pool.append(environment)

    @property
    def fleet(self) -> compiled.Fleet | None:
        """The declared fleet, when there is exactly one."""
        return next(iter(self.fleets.values())) if len(self.fleets) == 1 else None


def _values(found: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    return {name: value for name, (value, _) in found.items()}
