"""The JSON Schemas of queues, schedules and fleets: how work comes in and what runs it. Only data; see `schema`."""

from statek.spec.schema.models import provider_limits
from statek.spec.schema.parts import ANY, NAME, retry
from statek.spec.schema.shapes import (
    Schema,
    boolean,
    choice,
    duration,
    either,
    fields,
    formatted,
    integer,
    later,
    later_values,
    listing,
    mapping,
    money,
    nullable,
    text,
)


def queue() -> Schema:
    """The spec of a Queue."""
    parts = {
        "description": text("What the queue is for; not part of the revision.", "Tickets of the help desk."),
        "agent": {**NAME, "description": "The agent whose jobs the items become."},
        "deliver_as": formatted("identifier", "The variable that holds the item.", "event"),
        "prefix": later(
            text("Own prefix of a host application, whose process holds that prefix's file.", "/acme/tickets"),
            "remove it to apply, and run `start_statek(push_queues=[...])` in the application that holds the prefix,"
            " or put items on this queue with `StatekClientAPI(STORE).put`",
        ),
        "concurrency": _concurrency(),
        "rate": formatted("rate", "Items that become jobs in a time; as many at once after a pause.", "60/m"),
        "order": _order(),
        "key": formatted("path", "Path into the item; groups items for `order` and `per_key`.", "event.customer_id"),
        "dedupe": _dedupe(),
        "max_depth": integer("Most items that wait.", least=1, example=1000),
        "overflow": choice(("refuse", "drop-oldest", "drop-newest"), "What happens beyond max_depth.", "refuse"),
        "retry": retry(1, {"min": "1s", "max": "1m"}),
        "dead_letter": {**NAME, "description": "The Queue that takes items that failed for good or waited too long."},
        "ttl": duration("Longest wait of an item.", "7d"),
        "paused": boolean("Whether no item becomes a job.", default=False),
    }
    return fields("Items that become jobs.", parts, example={"agent": "triage", "deliver_as": "event"})


def _concurrency() -> Schema:
    running = integer("Running jobs of this queue.", least=1, example=20)
    bounds = {"max": nullable(running), "per_key": integer("Running jobs of one `key`.", least=1, example=1)}
    return either(
        "Running jobs of this queue, of all keys and of one key.",
        [20, {"max": 20, "per_key": 1}],
        integer=running,
        null={},
        object=fields("Running jobs.", bounds, example={"max": 20, "per_key": 1}),
    )


def _order() -> Schema:
    words = choice(("fifo", "key-fifo"), "Oldest first; `key-fifo`: of one `key` one after the other.", "fifo")
    priority = {
        "priority": formatted("path", "Path of the urgency in the item: a number, higher first.", "event.priority"),
        "values": listing(ANY, "Values of it, the most urgent first, when they are no numbers.", ["high", "low"]),
    }
    by_priority = fields("The most urgent item first, of these the oldest.", priority, required=["priority"])
    examples = ["key-fifo", {"priority": "event.priority"}]
    return either("Which waiting item is next.", examples, string=words, object=by_priority)


def _dedupe() -> Schema:
    parts = {
        "key": formatted("path", "Path of the key in the item.", "id"),
        "keep": formatted("keep", "How long a key is remembered: a duration or `forever`.", "30d"),
    }
    parts["keep"]["default"] = "forever"
    return fields("An item whose key was seen is dropped.", parts, required=["key"], example={"key": "id"})


def schedule() -> Schema:
    """The spec of a Schedule."""
    catch_up = {
        "max": integer("Missed times that are made up for at most.", default=1, example=1),
        "window": duration("How old a missed time may be.", "1h"),
    }
    overlaps = ("skip", "queue", "allow")
    parts = {
        "cron": text("Minute, hour, day of month, month, day of week.", "15 6 * * 1-5", longest=200),
        "timezone": text("Time zone of `cron`, by its IANA name.", "Europe/Warsaw", longest=64),
        "agent": {**NAME, "description": "The agent whose jobs it starts."},
        "inputs": mapping(ANY, "Inputs of each job.", {"question": "What is new?"}, keys="identifier"),
        "overlap": choice(overlaps, "What happens while the job before still runs.", "skip"),
        "catch_up": fields("Times that passed while no worker ran.", catch_up, example={"max": 1, "window": "2h"}),
        "paused": boolean("Whether it starts no job.", default=False),
    }
    parts["timezone"]["default"] = "UTC"
    example = {"cron": "15 6 * * 1-5", "timezone": "Europe/Warsaw", "agent": "triage"}
    return fields("Jobs at certain times.", parts, required=["cron", "agent"], example=example)


def _budget() -> Schema:
    parts = {
        "cost_usd_per_day": money("US dollars for the model calls of a day.", 50),
        "on_exceeded": choice(("pause", "cancel", "warn"), "What happens to jobs beyond it.", "pause"),
    }
    return fields("Money for a day.", parts, example={"cost_usd_per_day": 50})


def watch_fields() -> dict[str, Schema]:
    """How edits of the files are taken over."""
    return {
        "enabled": boolean("Whether edits are taken over while running.", default=True),
        "settle": duration("Quiet time before an edit is read.", "300ms"),
        "poll": boolean("Whether files are polled, not watched.", default=False),
        "prune": later_values(boolean("Whether deleted files remove objects.", default=False), [True]),
    }


def fleet() -> Schema:
    """The spec of a Fleet."""
    bounds = {name: {k: v for k, v in shape.items() if k != "x-later"} for name, shape in provider_limits().items()}
    one = fields("Bounds of one Provider.", bounds, example={"concurrent": 16})
    parts = {
        "agents": listing(NAME, "Agents whose jobs it begins; none: all.", ["triage"]),
        "queues": listing(NAME, "Queues it serves; none: all.", ["support"]),
        "max_concurrency": integer("Running jobs at the same time.", least=1, default=100, example=40),
        "providers": later(
            mapping(one, "Bounds for Providers by name.", {"openrouter": {"concurrent": 16}}, keys="name")
        ),
        "budget": later(_budget()),
        "shutdown": fields(
            "How it ends.", {"drain": duration("Time for running steps.", "10s", zero=True)}, example={"drain": "2m"}
        ),
        "watch": fields("Watching files.", watch_fields(), example={"settle": "300ms"}),
    }
    return fields("What a worker runs.", parts, example={"agents": ["triage"], "max_concurrency": 40})
