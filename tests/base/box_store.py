"""A small dbzero application, run as a process of its own by the pre-image tests: dbzero may crash or hang.

make FOLDER BOXES SEED   a store of BOXES boxes, grown over some commits, closed
change FOLDER SEED KEEP  save a pre-image, copy the file to KEEP/before, change much, commit, copy it to KEEP/after
check FOLDER...          print the digest of what each store holds, after reading every box; then rewrite every fifth
"""

import hashlib
import random
import shutil
import sys
from pathlib import Path

import dbzero as db0

from statek.base.preimage import PreImage


@db0.memo(id="tests/Box")
class Box:
    """One stored object."""

    def __init__(self, value: int, text: str) -> None:
        self.value = value
        self.text = text


@db0.memo(id="tests/Root", singleton=True)
class Root:
    """Holds the boxes."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.seq = 0


def change_some(root: Root, rnd: random.Random, count: int) -> None:
    """Overwrite `count` boxes, every fifth with a new object."""
    for _ in range(count):
        at = rnd.randrange(len(root.boxes))
        if rnd.random() < 0.2:
            root.boxes[at] = Box(rnd.randrange(10**6), "n" * rnd.randrange(300))
        else:
            root.boxes[at].value = rnd.randrange(10**6)
            root.boxes[at].text = "y" * rnd.randrange(20, 400)
    root.seq += 1


def make(folder: str, boxes: int, seed: int) -> None:
    """Create the store."""
    rnd = random.Random(seed)
    db0.init(folder, prefix="p", autocommit=False)
    root = Root()
    for n in range(boxes):
        root.boxes.append(Box(n, "x" * rnd.randrange(50, 300)))
    db0.commit()
    for _ in range(20):
        change_some(root, rnd, 50)
        db0.commit()
    db0.close()


def change(folder: str, seed: int, keep: str) -> None:
    """Make one large commit and keep the file as it was on both sides of it."""
    db0.init(folder, prefix="p", autocommit=False)
    root = Root()
    store = Path(folder, "p.db0")
    PreImage(store, "s1").save(root.seq)
    shutil.copyfile(store, Path(keep, "before"))
    change_some(root, random.Random(seed), 1500)
    db0.commit()
    shutil.copyfile(store, Path(keep, "after"))
    db0.close()


def check(folder: str) -> None:
    """Print the digest of the content, then rewrite a part of it all over the file."""
    db0.init(folder, prefix="p", autocommit=False)
    root = Root()
    content = repr([(box.value, box.text) for box in root.boxes])
    sys.stdout.write(hashlib.sha256(f"{root.seq} {content}".encode()).hexdigest() + "\n")
    for box in root.boxes[::5]:
        box.text = box.text + "z"
    db0.commit()
    db0.close()


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "make":
        make(rest[0], int(rest[1]), int(rest[2]))
    elif verb == "change":
        change(rest[0], int(rest[1]), rest[2])
    else:
        for one in rest:
            check(one)
