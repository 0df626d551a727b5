"""Reads the operations of a stored stream without carrying any out, and refuses every one the writer does not write.

The unpickler is a small machine that calls what it is told to call. A closed `find_class` does not tame it: `BUILD`
sets attributes of whatever class is within reach, `REDUCE` calls any object on the stack (a tool, say), `APPENDS` and
`SETITEMS` call methods of their target. So this walks the stream with a stack of *sorts* in place of values and
demands that only makers are called, only the stream's own lists, dicts and sets are added to, and makers end up in no
value. Sorts also count how deep tuples nest, because hashing a deep one overflows the C stack.
"""

import pickle
from typing import Final, NoReturn

from statek.exceptions import CannotKeep

DEEPEST: Final = 5_000
_OTHER, _TEXT, _LIST, _DICT, _SET, _MAKER, _TUPLE = range(7)
_SORT, _LEVEL = 7, 3  # a sort is `what | depth << 3`

# What an operation does to the stack.
_PUSH, _SKIP, _FRAME, _MARK, _MEMOIZE, _GET, _POP, _POP_MARK = range(8)
_WRAP, _WRAP_MARK, _ADD, _ADD_MARK, _GLOBAL, _CALL, _STOP = range(8, 15)

# operation -> (bytes of its argument, or minus the width of its length; what it does; a sort or a count)
OPCODES: Final[dict[bytes, tuple[int, int, int]]] = {
    pickle.PROTO: (1, _SKIP, 0),
    pickle.FRAME: (8, _FRAME, 0),
    pickle.NONE: (0, _PUSH, _OTHER),
    pickle.NEWTRUE: (0, _PUSH, _OTHER),
    pickle.NEWFALSE: (0, _PUSH, _OTHER),
    pickle.BININT: (4, _PUSH, _OTHER),
    pickle.BININT1: (1, _PUSH, _OTHER),
    pickle.BININT2: (2, _PUSH, _OTHER),
    pickle.LONG1: (-1, _PUSH, _OTHER),
    pickle.LONG4: (-4, _PUSH, _OTHER),
    pickle.BINFLOAT: (8, _PUSH, _OTHER),
    pickle.SHORT_BINUNICODE: (-1, _PUSH, _TEXT),
    pickle.BINUNICODE: (-4, _PUSH, _TEXT),
    pickle.SHORT_BINBYTES: (-1, _PUSH, _OTHER),
    pickle.BINBYTES: (-4, _PUSH, _OTHER),
    pickle.BYTEARRAY8: (-8, _PUSH, _OTHER),
    pickle.EMPTY_TUPLE: (0, _PUSH, _TUPLE),
    pickle.EMPTY_LIST: (0, _PUSH, _LIST),
    pickle.EMPTY_DICT: (0, _PUSH, _DICT),
    pickle.EMPTY_SET: (0, _PUSH, _SET),
    pickle.MARK: (0, _MARK, 0),
    pickle.MEMOIZE: (0, _MEMOIZE, 0),
    pickle.BINGET: (1, _GET, 0),
    pickle.LONG_BINGET: (4, _GET, 0),
    pickle.POP: (0, _POP, 0),
    pickle.POP_MARK: (0, _POP_MARK, 0),
    pickle.TUPLE1: (0, _WRAP, 1),
    pickle.TUPLE2: (0, _WRAP, 2),
    pickle.TUPLE3: (0, _WRAP, 3),
    pickle.TUPLE: (0, _WRAP_MARK, _TUPLE),
    pickle.FROZENSET: (0, _WRAP_MARK, _OTHER),
    pickle.APPEND: (0, _ADD, _LIST),
    pickle.APPENDS: (0, _ADD_MARK, _LIST),
    pickle.SETITEM: (0, _ADD, _DICT),
    pickle.SETITEMS: (0, _ADD_MARK, _DICT),
    pickle.ADDITEMS: (0, _ADD_MARK, _SET),
    pickle.STACK_GLOBAL: (0, _GLOBAL, 0),
    pickle.REDUCE: (0, _CALL, 0),
    pickle.STOP: (0, _STOP, 0),
}
_TABLE: Final = [OPCODES.get(bytes((code,)), (0, -1, 0)) for code in range(256)]


def scan(data: bytes, start: int) -> None:
    """Check the stream in `data[start:]`.

    Raises:
        CannotKeep: it is cut off, damaged, or asks for something that a stored workspace never asks for.
    """
    try:
        _Machine(data, start).run()
    except IndexError as error:
        raise CannotKeep("the stored workspace is damaged: it ends too early or takes from an empty stack") from error


class _Machine:
    """The stack of sorts; one method per group of operations that is not a mere push."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.at = start
        self.stack: list[int] = []
        self.below: list[list[int]] = []  # stacks under open marks
        self.memo: list[int] = []

    def run(self) -> None:
        """Walk to the end; the common operations are spelled out here for speed."""
        data, end, at, memo = self.data, len(self.data), self.at, self.memo
        stack, table = self.stack, _TABLE
        while True:
            size, does, what = table[data[at]]
            at += 1
            if size:
                start = at if size > 0 else at - size
                at = start + size if size > 0 else start + int.from_bytes(data[at:start], "little")
                if at > end:
                    self.refuse("it is cut off")
            else:
                start = at
            if does == _PUSH:
                stack.append(what)
            elif does == _MEMOIZE:
                memo.append(stack[-1])
            elif does == _GET:
                stack.append(memo[int.from_bytes(data[start:at], "little")])
            elif does == _FRAME:
                if int.from_bytes(data[start:at], "little") > end - at:
                    self.refuse("a frame is cut off")
            elif does == _STOP:
                return self.stop(at)
            elif does != _SKIP:
                self.rare(does, what, data[at - 1])
                stack = self.stack

    def rare(self, does: int, what: int, code: int) -> None:
        """Carry out an operation that takes something off the stack."""
        stack = self.stack
        if does == _MARK:
            self.below.append(stack)
            self.stack = []
        elif does == _POP:
            stack.pop()
        elif does == _POP_MARK:
            self.unmark()
        elif does == _WRAP:
            stack[-what:] = [self.wrapped(_TUPLE, stack[-what:], what)]
        elif does == _WRAP_MARK:
            items = self.unmark()
            self.stack.append(self.wrapped(what, items, len(items)))
        elif does == _ADD:
            self.add(what, [stack.pop() for _ in range(2 if what == _DICT else 1)])
        elif does == _ADD_MARK:
            self.add(what, self.unmark())
        elif does == _GLOBAL:
            if (stack.pop(), stack.pop()) != (_TEXT, _TEXT):
                self.refuse("the name of a maker is no text")
            stack.append(_MAKER)
        elif does == _CALL:
            self.call(stack.pop(), stack.pop())
        else:
            self.refuse(f"operation {code:#04x} is never written")

    def unmark(self) -> list[int]:
        """Give what lies above the last mark and go back to the stack below."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def wrapped(self, sort: int, items: list[int], count: int) -> int:
        """Give the sort of a tuple or frozenset of `items`."""
        if len(items) != count:
            raise IndexError
        self.values_only(items)
        if sort != _TUPLE:
            return sort
        depth = (max(items, default=0) >> _LEVEL) + 1
        if depth > DEEPEST:
            self.refuse(f"tuples nest deeper than {DEEPEST}")
        return sort | depth << _LEVEL

    def add(self, sort: int, items: list[int]) -> None:
        """Add `items` to the container on top."""
        self.values_only(items)
        if self.stack[-1] != sort:
            self.refuse("it adds to something that is not its own list, dict or set")

    def call(self, arguments: int, maker: int) -> None:
        """Call a maker."""
        if maker != _MAKER or arguments & _SORT != _TUPLE:
            self.refuse("it calls something that is not a maker")
        self.stack.append(_OTHER | arguments >> _LEVEL << _LEVEL)

    def values_only(self, items: list[int]) -> None:
        """Refuse a maker among values."""
        if _MAKER in items:
            self.refuse("it holds a maker as a value")

    def stop(self, end: int) -> None:
        """Check that one value is left and nothing follows."""
        if len(self.stack) != 1 or self.below or end != len(self.data):
            self.refuse("it does not end with one value")
        self.values_only(self.stack)

    def refuse(self, why: str) -> NoReturn:
        """Raise CannotKeep."""
        raise CannotKeep(f"the stored workspace is damaged: {why}")
