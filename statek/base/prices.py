"""What models cost where no document says it: price files of the operator, and prices that an application sets.

A table for the process, looked up when an answer has come: the cost is recorded with the answer, so a price that
changes later changes nothing that was counted. Prices of Models in files are `llm.pricing`'s. The one idea: a name is
the same in any letter case and with any blanks, and a price of another provider is never taken. What was said while a
store was open counts while one of the same is open, what was said before in all.
"""

import csv
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

COLUMNS = (
    "PROVIDER", "MODEL_FAMILY", "MODEL", "INPUT_PRICE_PER_M", "INPUT_PRICE_PER_CACHED_M", "OUTPUT_PRICE_PER_M",
)  # fmt: skip
PER = 1_000_000
_FAMILIES = "OPENROUTER"  # whose models are told apart by their family
_Key = tuple[str, str, str]
_Table = dict[_Key, "ModelPricing"]
_Stores = frozenset[int]  # those that are open; empty: none
_Given = Decimal | float | str
_set: dict[_Key, tuple["ModelPricing", _Stores]] = {}  # by the application
_read: dict[_Key, tuple["ModelPricing", _Stores]] = {}  # from files
_tell_stores: list[Callable[[], _Stores]] = []  # at most one; `store.prices` gives it
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelPricing:
    """USD for a million tokens; None: not known."""

    input_price_per_M: Decimal | None = None  # noqa: N815 - documented name
    input_price_per_cached_M: Decimal | None = None  # noqa: N815
    output_price_per_M: Decimal | None = None  # noqa: N815

    @property
    def is_valid(self) -> bool:
        """Are input and output known?"""
        return self.input_price_per_M is not None and self.output_price_per_M is not None

    def cost(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float | None:
        """USD of these tokens, the cached ones a part of the input; None when it is not known."""
        if self.input_price_per_M is None or self.output_price_per_M is None:
            return None
        cached = min(cached_tokens, input_tokens)
        of_cached = self.input_price_per_M if self.input_price_per_cached_M is None else self.input_price_per_cached_M
        total = (input_tokens - cached) * self.input_price_per_M + cached * of_cached
        return float((total + output_tokens * self.output_price_per_M) / PER)


def get_model_pricing(
    provider: str, model: str, model_family: str | None = None, no_create: bool = False
) -> ModelPricing | None:
    """The price of a model: that of the family, else one without a family; without `model_family` any of that name.

    Args:
        provider: its name, in any letter case.
        model: the model's own name, without provider and family.
        model_family: such as `openai`; None: any.
        no_create: give None for an unknown model; otherwise a price of which nothing is known.
    """
    wanted, name = _plain(provider), _plain(model)
    known = _known()
    found = known.get((wanted, _plain(model_family), name)) or known.get((wanted, "", name))
    if found is None and (model_family is None or wanted != _FAMILIES):
        found = next((price for (p, _, m), price in known.items() if (p, m) == (wanted, name)), None)
    return found if found is not None or no_create else ModelPricing()


def set_model_pricing(
    provider: str,
    model: str,
    input_price_per_M: _Given,  # noqa: N803 - documented names
    output_price_per_M: _Given,  # noqa: N803
    input_price_per_cached_M: _Given | None = None,  # noqa: N803
    model_family: str | None = None,
) -> ModelPricing:
    """Set a price in this process, in USD for a million tokens; it takes the place of an earlier one.

    Raises:
        ValueError: a price is no number, or below 0.
    """
    made = _pricing(input_price_per_M, input_price_per_cached_M, output_price_per_M)
    key, stores = (_plain(provider), _plain(model_family), _plain(model)), _open_stores()
    before = _set.get(key)
    if before is not None and before[0] == made:
        made = before[0]
    _set[key] = made, stores
    return made


def init_model_pricing(folder: str | Path | None) -> None:
    """Read every `.csv` and `.txt` below `folder` (columns as in COLUMNS), in place of what files said before.

    A line without the price of input or output, or with one that is no number, is logged and left out; a folder that
    is not there holds none.

    Raises:
        ValueError: a file lacks a column; nothing was changed then.
    """
    found: _Table = {}
    for path in sorted(Path(folder).rglob("*")) if folder is not None else ():
        if path.suffix.lower() in (".csv", ".txt") and path.is_file():
            for number, row in _rows(path):
                _take(found, path, number, row)
    stores = _open_stores()
    _read.clear()
    _read.update({key: (price, stores) for key, price in found.items()})


def ask_which_stores(tell: Callable[[], _Stores]) -> None:
    """From now on ask `tell` which stores are open."""
    _tell_stores[:] = [tell]


def _open_stores() -> _Stores:
    return _tell_stores[0]() if _tell_stores else frozenset()


def _known() -> _Table:
    here = _open_stores() if _read or _set else frozenset()
    both = (*_read.items(), *_set.items())  # what was set is the later one, and counts
    return {key: price for key, (price, stores) in both if not stores or not here or stores & here}


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        names = [name.strip().upper() for name in next(lines, [])]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}; expected {','.join(COLUMNS)}")
        for cells in lines:
            if cells:
                yield lines.line_num, dict(zip(names, [cell.strip() for cell in cells], strict=False))


def _take(found: _Table, path: Path, number: int, row: Mapping[str, str]) -> None:
    provider, family, model, of_input, of_cached, of_output = (row.get(name, "") for name in COLUMNS)
    try:
        found[_plain(provider), _plain(family), _plain(model)] = _pricing(of_input, of_cached or None, of_output)
    except ValueError as error:
        log.warning("%s:%d is left out: %s", path, number, error)


def _pricing(of_input: _Given, of_cached: _Given | None, of_output: _Given) -> ModelPricing:
    return ModelPricing(_price(of_input), None if of_cached is None else _price(of_cached), _price(of_output))


def _price(value: _Given) -> Decimal:
    try:
        price = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"price {value!r}: expected USD for a million tokens, such as 0.25") from error
    if not price.is_finite() or price < 0:
        raise ValueError(f"price {value!r}: expected a number from 0 on")
    return price


def _plain(name: str | None) -> str:
    return "".join((name or "").split()).upper()
