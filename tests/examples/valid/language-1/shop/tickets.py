"""Tickets of the help desk."""

from dataclasses import dataclass, field


@dataclass
class Ticket:
    """What a customer wrote, and what was written before."""

    id: str
    subject: str
    history: list[str] = field(default_factory=list)


async def lookup(ticket_id: str) -> Ticket:
    """Find a ticket."""
    return Ticket(ticket_id, "Flat tyre")


def assign(ticket_id: str, person: str) -> None:
    """Give a ticket to a person."""


def close(ticket_id: str, why: str) -> None:
    """Close a ticket."""
