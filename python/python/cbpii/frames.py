"""Many checks from a dataframe: pandas, polars, pyarrow, and whatever else narwhals reads eagerly.

Needs the extra: ``pip install 'cbpii[frames]'``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

try:
    import narwhals as nw
except ImportError as missing:
    raise ImportError("cbpii.frames needs narwhals: pip install 'cbpii[frames]'") from missing

from ._many import SessionPool
from ._progress import progress_bar
from ._rows import RESULT_NAMES, Row, RowResult, ask_rows, opener

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrameT

__all__ = ["confirm_frame"]


def confirm_frame(
    df: "IntoDataFrameT",
    pool: SessionPool | Mapping[str, SessionPool],
    *,
    consent: str = "consent",
    iban: str = "iban",
    amount: str = "amount",
    currency: str = "currency",
    reference: str = "reference",
    bank: str = "bank",
    max_in_flight: int = 16,
    timeout: float | timedelta | None = None,
    progress: bool | None = None,
) -> "IntoDataFrameT":
    """Asks one question for each row, and gives the same kind of dataframe back, in the same order, with the columns

    - ``available``: the bank's yes or no; missing when there is no answer, **which is not a "no"**;
    - ``error_code``: why there is no answer: a key of :data:`cbpii.CATALOGUE`; missing when there is one;
    - ``advice``: what to do about the error, the text of a :class:`cbpii.Advice`;
    - ``request_id``: the ``X-Request-ID``, which the bank's support asks for first; missing when nothing was sent;
    - ``checked_at``: when the answer came, in UTC; missing when there is none.

    Columns of these names are replaced. A row that cannot be asked (a mistyped IBAN, an unknown consent) is a row with an
    ``error_code``, not an exception.

    - ``df``: a dataframe of pandas, polars, pyarrow or another library narwhals reads eagerly; not a lazy one.
    - ``pool``: the sessions; or a mapping of pools, and then the column ``bank`` has its keys.
    - ``consent``, ``iban``, ``amount``, ``currency``, ``reference``, ``bank``: the names of the columns: the id the consent
      is kept under in the pool, the account, the amount as text, Decimal or integer, the ISO 4217 currency, and the
      issuer's own reference of 1 to 35 characters.
    - ``max_in_flight``: how many checks are under way at most, 1 to 256.
    - ``timeout``: the time each check may take, in seconds or as timedelta; the client's own by default.
    - ``progress``: whether a bar of tqdm shows how far it has come; by default on a terminal and in a notebook, if tqdm is
      installed.

    Ctrl-C ends it and loses the answers; for long files there is the command ``cbpii check-file``, which goes on where it
    was interrupted.

    Raises ``TypeError`` for what is no eager dataframe and for an amount column of floats, ``KeyError`` when a column is
    missing, ``ValueError`` for a mapping without a pool, and ``configuration.option`` when an option is outside its range.
    """
    frame: nw.DataFrame[IntoDataFrameT] = nw.from_native(df, eager_only=True)
    names = {"consent": consent, "iban": iban, "amount": amount, "currency": currency, "reference": reference}
    if not isinstance(pool, SessionPool):
        names["bank"] = bank
    check_columns(frame, names)
    any_pool = pool if isinstance(pool, SessionPool) else next(iter(pool.values()), None)
    if any_pool is None:
        raise ValueError("The mapping of pools is empty; give at least one SessionPool.")
    results = [RowResult()] * len(frame)
    rows = rows_of(frame, names)
    asked = ask_rows(rows, opener(pool), any_pool, max_in_flight=max_in_flight, timeout=timeout)
    with progress_bar(len(frame), progress) as advance:
        for row, result in asked:
            results[row.place] = result
            advance()
    return with_results(frame, results).to_native()


def check_columns(frame: "nw.DataFrame[Any]", names: Mapping[str, str]) -> None:
    """Refuses a dataframe that lacks a column, or has amounts as floats."""
    for meaning, name in names.items():
        if name not in frame.columns:
            raise KeyError(f"The dataframe has no column {name!r} for the {meaning}; name it with {meaning}=….")
    amount = names["amount"]
    if frame[amount].dtype.is_float():
        raise TypeError(
            f"The column {amount!r} holds floats, and most decimal amounts do not exist as one: 0.1 is really "
            "0.1000000000000000055. Read it as text (in pandas: dtype={'"
            + amount
            + "': str}), or give Decimal or integers. "
            "Integers with missing values become floats in pandas: its dtype 'Int64' keeps them."
        )


def rows_of(frame: "nw.DataFrame[Any]", names: Mapping[str, str], currency: str | None = None) -> Iterator[Row]:
    """The rows, missing values as None; ``currency`` is that of a dataframe without such a column."""
    columns = {meaning: _values(frame[name]) for meaning, name in names.items()}
    for place, values in enumerate(zip(*columns.values(), strict=True)):
        yield Row(place, **{"currency": currency, **dict(zip(columns, values, strict=True))})


def _values(column: "nw.Series[Any]") -> list[Any]:
    missing = column.is_null().to_list()
    return [None if gone else value for value, gone in zip(column.to_list(), missing, strict=True)]


def with_results(frame: "nw.DataFrame[IntoDataFrameT]", results: Sequence[RowResult]) -> "nw.DataFrame[IntoDataFrameT]":
    """The dataframe with the columns of the results."""
    series = _pandas_series(frame) if frame.implementation.is_pandas_like() else _series(frame)
    kinds = (nw.Boolean(), nw.String(), nw.String(), nw.String(), nw.Datetime("us", "UTC"))
    columns = [
        series(name, [getattr(result, name) for result in results], kind)
        for name, kind in zip(RESULT_NAMES, kinds, strict=True)
    ]
    return frame.with_columns(*columns)


Maker = Callable[[str, list[Any], Any], "nw.Series[Any]"]


def _series(frame: "nw.DataFrame[Any]") -> Maker:
    def make(name: str, values: list[Any], kind: Any) -> "nw.Series[Any]":
        return nw.new_series(name, values, kind, backend=frame.implementation)

    return make


def _pandas_series(frame: "nw.DataFrame[Any]") -> Maker:
    """As pandas needs it: with the dataframe's index, and with a kind of Boolean in which nothing is not False."""
    pandas: Any = nw.get_native_namespace(frame)
    index = frame.to_native().index

    def make(name: str, values: list[Any], kind: Any) -> "nw.Series[Any]":
        dtype = {nw.Boolean(): "boolean", nw.String(): "string"}.get(kind, "datetime64[us, UTC]")
        return nw.from_native(pandas.Series(values, name=name, dtype=dtype, index=index), series_only=True)

    return make
