"""What nothing can beat: the bare operations that a step is made of, in this process, now."""

import asyncio
import sqlite3
from pathlib import Path

import aiohttp
import dbzero as db0

from benchmarks.measure import cpu_ms
from benchmarks.rig import CODE
from benchmarks.tools import look


def bare_exec() -> float:
    """Compile and run the statement of a step without any guard."""

    def many() -> None:
        for _ in range(1000):
            exec(compile(CODE, "<floor>", "exec"), {"look": look})

    return cpu_ms(many, 1000)


def bare_sqlite(folder: Path) -> float:
    """One durable SQLite transaction of one row, WAL and synchronous FULL like the ledger."""
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rec (seq INTEGER PRIMARY KEY, body BLOB)")

    def many() -> None:
        for _ in range(50):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rec (body) VALUES (?)", (b"x" * 300,))
            connection.execute("COMMIT")

    try:
        return cpu_ms(many, 50)
    finally:
        connection.close()


@db0.memo(id="benchmarks/Box", singleton=True)
class Box:
    """One field."""

    def __init__(self) -> None:
        self.value = 0


def bare_dbzero() -> float:
    """One commit of one changed field, in the store that is open."""
    box = Box()

    def many() -> None:
        for _ in range(50):
            box.value += 1
            db0.commit()

    return cpu_ms(many, 50)


def bare_aiohttp(url: str, body: bytes, calls: int) -> float:
    """One POST with a client that keeps its connection."""

    async def many() -> None:
        async with aiohttp.ClientSession() as client:
            for _ in range(calls):
                async with client.post(f"{url}/chat/completions", data=body) as response:
                    await response.json()

    return cpu_ms(lambda: asyncio.run(many()), calls)
