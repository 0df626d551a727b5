"""What can happen to a store file while nobody has it open. Each damage takes the file and dice."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

LOGS = (20480, 36864, 53248)  # where the store's three logs begin
BLOCK, PAGE = 16384, 4096


def truncate(file: Path, dice: random.Random) -> None:
    """Cut the file somewhere."""
    size = file.stat().st_size
    with file.open("r+b") as handle:
        handle.truncate(dice.randrange(size // 4, size))


def tear_log(file: Path, dice: random.Random) -> None:
    """Put zeros into a page of the first block of a log, as a torn write leaves them."""
    _overwrite(file, dice.choice(LOGS) + dice.randrange(BLOCK // PAGE) * PAGE, bytes(PAGE))


def spoil_head(file: Path, dice: random.Random) -> None:
    """Noise over the first bytes."""
    _overwrite(file, 0, dice.randbytes(64))


def put_noise(file: Path, dice: random.Random) -> None:
    """A page of noise anywhere behind the heads."""
    pages = max(1, (file.stat().st_size - 5 * BLOCK) // PAGE)
    _overwrite(file, 5 * BLOCK + dice.randrange(pages) * PAGE, dice.randbytes(PAGE))


def put_much_noise(file: Path, dice: random.Random) -> None:
    """64 KB of noise in the middle."""
    _overwrite(file, max(0, file.stat().st_size // 2 - 2 * BLOCK), dice.randbytes(4 * BLOCK))


def delete(file: Path, _dice: random.Random) -> None:
    """Remove it."""
    file.unlink()


def put_foreign_pre_image(file: Path, dice: random.Random) -> None:
    """Leave the pre-image of another store beside it, and spoil the file itself, so that a cure is wanted."""
    pre = file.with_name(f"{file.name}.pre")
    if pre.exists():
        data = bytearray(pre.read_bytes())
        data[:8] = b"STKPRE01"
        data[40:72] = dice.randbytes(32)
        pre.write_bytes(data)
    tear_log(file, dice)


def _overwrite(file: Path, at: int, data: bytes) -> None:
    with file.open("r+b") as handle:
        handle.seek(at)
        handle.write(data)


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncated": truncate, "torn in a log": tear_log, "bad head": spoil_head, "a page of noise": put_noise,
    "much noise": put_much_noise, "deleted": delete, "foreign pre-image": put_foreign_pre_image,
}  # fmt: skip


def spoil_copies(copies: Sequence[Path], dice: random.Random, *, all_of_them: bool) -> tuple[str, Sequence[Path]]:
    """Sometimes spoil good copies too: the newest or the oldest of several, or all where the ledger is whole.

    Returns:
        What was done, and to which; nothing often.
    """
    if len(copies) < 2 or dice.random() > 0.5:
        return "", ()
    which = dice.choice(("newest", "oldest", "all") if all_of_them else ("newest", "oldest"))
    chosen = {"newest": copies[-1:], "oldest": copies[:1], "all": copies}[which]
    for copy in chosen:
        put_much_noise(copy, dice)
    return f"copies: {which}", chosen
