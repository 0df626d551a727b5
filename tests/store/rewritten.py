"""An application's objects for the tests of rewriting; as a script it makes them anew. `rewritten.py FOLDER [WORD]`."""

import datetime
import json
import secrets
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2])]
    from statek.store import bare

    bare.patch()

import dbzero as db0

Colour = db0.enum("tests/Colour", ["RED", "GREEN"])
LENT = "lent"
HELD: list[Any] = []


@db0.memo(id="tests/Book")
@db0.tag_fields("mood")
class Book:
    def __init__(self, title: str, mood: str = "mood:glad") -> None:
        self.title = title
        self.mood = mood
        self.sequel: Any = None
        self.shelf: Any = None


@db0.memo(id="tests/Novel")
class Novel(Book):
    def __init__(self, title: str, year: int) -> None:
        super().__init__(title)
        if year < 1000:
            raise ValueError("no novel is that old")
        self.year = year


@db0.memo(id="tests/Shelf", singleton=True)
class Shelf:
    def __init__(self) -> None:
        self.books: Any = []
        self.more: Any = None


@db0.memo(id="tests/Catalogue")
class Catalogue:
    def __init__(self, books: Any) -> None:
        self.by_year = db0.index()
        for book in books:
            self.by_year.add(book.year, book)

    def __statek_rewrite__(self, rewrite: Any) -> None:
        """Index the new books as the old ones are."""
        new = rewrite(self)
        new.by_year = db0.index()
        for book in self.by_year.select(None, None):
            new.by_year.add(book.year, rewrite(book))


def fill() -> None:
    """One of everything."""
    shelf = Shelf()
    emma, persuasion = Novel("Emma", 1815), Novel("Persuasion", 1817)
    persuasion.year = 817  # what its constructor would refuse
    emma.sequel, persuasion.sequel = persuasion, emma
    emma.late = "set later"
    emma.shelf = db0.weak_proxy(shelf)
    gone = Book("gone")
    lonely = Book("lonely")
    lonely.shelf = db0.weak_proxy(gone)
    shared = db0.list([1, [2, (3, "x")], {"k": emma}])
    lent = Book("lent")
    db0.tags(lent).add(LENT)
    shelf.books = [emma, persuasion, lonely, Book("sad", "mood:sad")]
    shelf.more = {
        "all": shared, "again": (shared, {1: shared}), "set": {emma, "a", b"b"}, "colour": Colour.GREEN, "class": Book,
        "function": json.dumps, "day": datetime.date(2020, 2, 29), "at": datetime.datetime(2020, 2, 29, 12, 30),  # noqa: DTZ001
        "bytes": b"\0\1", "array": db0.bytearray(b"abc"), "weak": {}, "float": 1.5, "none": None,
    }  # fmt: skip
    shelf.favourite = db0.weak_proxy(emma)
    shelf.spare = Book("spare")
    shelf.spares = [shelf.spare, Book("other")]


def look() -> dict[str, Any]:
    """What is there, without anything that a file has of its own."""
    shelf = db0.fetch(Shelf)
    emma, persuasion, lonely, _ = shelf.books
    more = shelf.more
    catalogue = getattr(shelf, "catalogue", None)
    return {
        "books": [sorted((name, str(value)) for name, value in _plain(book)) for book in shelf.books],
        "circle": emma.sequel is persuasion and persuasion.sequel is emma,
        "shared": more["all"] is more["again"][0] is more["again"][1][1],
        "all": str(more["all"][:2]),
        "in": more["all"][2]["k"] is emma and emma in more["set"],
        "colour": more["colour"] == Colour.GREEN,
        "named": more["class"] is Book and more["function"] is json.dumps,
        "plain": [str(more[name]) for name in ("day", "at", "bytes", "float", "none")],
        "array": [more["array"][n] for n in range(len(more["array"]))],
        "tags": sorted(book.title for book in db0.find(Book, "mood:glad")),
        "lent": [book.title for book in db0.find(LENT)],
        "found": sorted(book.title for book in db0.find(Book)),
        "weak": shelf.favourite.title,
        "expired": db0.expired(lonely.shelf),
        "unheld": [book.title for book in db0.find(Book) if not db0.getrefcount(book)],
        "counts": [db0.getrefcount(book) for book in shelf.books],
        "catalogue": None if catalogue is None else sorted(b.title for b in catalogue.by_year.select(None, None)),
    }


def _plain(book: Book) -> Any:
    return [(n, v) for n, v in book.__dict__.items() if n not in ("sequel", "shelf")]


def add_index(shelf: Shelf) -> None:
    """An index on an object whose class knows nothing of rewriting."""
    shelf.by_year = db0.index()
    shelf.by_year.add(1815, shelf.books[0])


def add_catalogue(shelf: Shelf) -> None:
    """An index on one whose class does."""
    shelf.catalogue = Catalogue([shelf.books[0], shelf.books[1]])
    shelf.ix = shelf.catalogue.by_year
    del shelf.ix


def tag_secretly(shelf: Shelf) -> None:
    """A tag that stands nowhere else."""
    db0.tags(shelf.books[0]).add(secrets.token_hex(8))


def pop_one(shelf: Shelf) -> None:
    """Take a book from a list in the way that leaks a reference."""
    shelf.spares.pop(0)


def drop_while_held(shelf: Shelf) -> None:
    """Two books go whose last reference is a variable that outlives the store; the one refers to the other."""
    for book in (first := Book("Held"), second := Book("Left")):
        shelf.books.append(book)
    first.sequel, second.sequel = second, shelf.books[0]
    db0.commit()
    HELD.append(first)
    del book, second
    for _ in range(2):
        del shelf.books[len(shelf.books) - 1]


def drop_list_while_held(shelf: Shelf) -> None:
    """A list of two books goes, whose last reference is a variable that outlives the store."""
    HELD.append(shelf.spares)
    shelf.spares = shelf.spare = None


def list_weakly(shelf: Shelf) -> None:
    """A weak reference where it cannot be told from others."""
    shelf.weakly = [db0.weak_proxy(shelf.books[0])]


def _main(folder: str, *words: str) -> dict[str, Any]:
    import dataclasses

    from statek.store.rewrite import CannotRewrite, Rewriter

    db0.init(folder, autocommit=False)
    try:
        db0.open("statek", "r")
        rewriter = Rewriter("statek")
        rewriter.read()
        db0.open("new", "rw")
        done = dataclasses.asdict(rewriter.run(accept_lost="--accept-lost" in words))
        db0.commit()
    except CannotRewrite as error:
        return {"error": str(error), "hint": error.hint}
    finally:
        db0.close()
    return done


if __name__ == "__main__":
    sys.modules["tests.store.rewritten"] = sys.modules["__main__"]
    print(json.dumps(_main(*sys.argv[1:])))
