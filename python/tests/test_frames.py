"""Many checks from dataframes."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import cbpii
import narwhals as nw
import nbformat
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cbpii.frames import confirm_frame
from nbclient import NotebookClient
from support import CLAIRE, LEA, Sandbox, bare_client, sealed, some_tokens

Maker = Callable[[dict[str, list[Any]]], Any]
MAKERS: dict[str, Maker] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
}
RESULTS = ["available", "error_code", "advice", "request_id", "checked_at"]


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[request.param]


def a_pool(**options: Any) -> cbpii.SessionPool:
    """A pool over a bank in memory that always says yes."""
    pool = cbpii.SessionPool(bare_client(**options), sealed())
    pool.keep("claire", some_tokens())
    return pool


def columns(**changes: list[Any]) -> dict[str, list[Any]]:
    """Two rows that can be asked."""
    whole = {
        "consent": ["claire"] * 2,
        "iban": [CLAIRE] * 2,
        "amount": ["1.10", "2.20"],
        "currency": ["EUR"] * 2,
        "reference": ["R-1", "R-2"],
    }
    return whole | changes


def results(df: Any) -> dict[str, list[Any]]:
    """The columns of the results, missing values as None."""
    frame = nw.from_native(df, eager_only=True)
    found = {}
    for name in RESULTS:
        missing = frame[name].is_null().to_list()
        found[name] = [None if gone else value for value, gone in zip(frame[name].to_list(), missing, strict=True)]
    return found


def test_the_same_kind_of_dataframe_comes_back_in_its_order(sandbox: Sandbox, make: Any) -> None:
    pool = cbpii.SessionPool(sandbox.client(), sealed())
    pool.keep("claire", sandbox.tokens())
    pool.keep("lea", sandbox.tokens("LEA"))
    df = make(
        {
            "consent": ["claire", "claire", "nobody", "lea", "claire", "claire", None],
            "iban": [CLAIRE, CLAIRE, CLAIRE, LEA, "FR761234", LEA, CLAIRE],
            "amount": ["458.99", "459", "1", "1,50", "1", "1", "1"],
            "currency": ["EUR"] * 7,
            "reference": [f"R-{number}" for number in range(7)],
            "shop": list("abcdefg"),
        }
    )
    answered = confirm_frame(df, pool, max_in_flight=3)
    assert type(answered) is type(df)
    frame = nw.from_native(answered, eager_only=True)
    assert frame.columns == ["consent", "iban", "amount", "currency", "reference", "shop", *RESULTS]
    assert frame["shop"].to_list() == list("abcdefg")
    found = results(answered)
    assert found["available"] == [True, False, None, None, None, None, None]
    assert found["error_code"] == [
        None,
        None,
        "consent.unknown",
        "request.amount",
        "request.iban",
        "bank.account_unknown",
        "request.consent_id",
    ]
    assert found["advice"][:4] == [None, None, "renew_consent", "fix_request"]
    assert [one is not None for one in found["request_id"]] == [True, True, False, False, False, True, False]
    assert [one is not None for one in found["checked_at"]] == [True, True] + [False] * 5
    assert abs(datetime.now(timezone.utc) - found["checked_at"][0]).total_seconds() < 60
    assert len(sandbox.requests()) == 3


def test_the_columns_have_their_kinds_whatever_is_in_them(make: Any) -> None:
    for pool, df in [
        (a_pool(), make(columns())),
        (a_pool(), make(columns(iban=["FR76", "FR76"]))),
    ]:
        schema = nw.from_native(confirm_frame(df, pool), eager_only=True).schema
        assert [schema[name] for name in RESULTS] == [nw.Boolean, *[nw.String] * 3, nw.Datetime("us", "UTC")]


@pytest.mark.parametrize("amounts", [["1.10", "2.20"], [Decimal("1.10"), Decimal("2.20")], [1, 2]])
def test_amounts_are_text_decimals_or_integers(make: Any, amounts: list[Any]) -> None:
    assert results(confirm_frame(make(columns(amount=amounts)), a_pool()))["available"] == [True, True]


def test_a_column_of_floats_is_refused_with_the_reason(make: Any) -> None:
    with pytest.raises(TypeError, match=r"'amount' holds floats.*dtype=\{'amount': str\}"):
        confirm_frame(make(columns(amount=[1.1, 2.2])), a_pool())


def test_the_columns_may_have_other_names(make: Any) -> None:
    names: dict[str, Any] = {
        "consent": "customer",
        "iban": "account",
        "amount": "sum",
        "currency": "ccy",
        "reference": "order",
    }
    df = make({names[name]: values for name, values in columns(reference=[1, 2]).items()})
    assert results(confirm_frame(df, a_pool(), **names))["available"] == [True, True]
    with pytest.raises(KeyError, match=r"no column 'iban' for the iban; name it with iban=…"):
        confirm_frame(df, a_pool(), consent="customer")


def test_results_of_an_earlier_time_are_replaced(make: Any) -> None:
    once = confirm_frame(make(columns()), a_pool())
    again = confirm_frame(once, a_pool())
    assert nw.from_native(again, eager_only=True).columns == nw.from_native(once, eager_only=True).columns
    assert results(again)["request_id"] != results(once)["request_id"]


def test_an_empty_dataframe_is_answered(make: Any) -> None:
    empty = nw.from_native(make(columns()), eager_only=True).head(0).to_native()
    assert results(confirm_frame(empty, a_pool()))["available"] == []


def test_rows_of_several_banks(make: Any) -> None:
    df = make(columns(bank=["one", "two"]))
    answered = results(confirm_frame(df, {"one": a_pool()}))
    assert answered["available"] == [True, None]
    assert answered["error_code"] == [None, "configuration.bank_unknown"]
    assert results(confirm_frame(df, {"one": a_pool(), "two": a_pool()}))["available"] == [True, True]
    with pytest.raises(ValueError, match="mapping of pools is empty"):
        confirm_frame(df, {})


def test_missing_values_are_errors_of_their_row(make: Any) -> None:
    names = ["consent", "iban", "amount", "currency", "reference"]
    row = [columns()[name][0] for name in names]
    rows = [[None if place == gone else value for place, value in enumerate(row)] for gone in range(5)]
    df = make({name: [one[place] for one in rows] for place, name in enumerate(names)})
    codes = results(confirm_frame(df, a_pool()))["error_code"]
    assert codes == ["request.consent_id", "request.iban", "request.amount", "request.currency", "request.reference"]


def test_the_index_of_pandas_stays() -> None:
    df = pd.DataFrame(columns(), index=[7, 7])
    answered = confirm_frame(df, a_pool())
    assert list(answered.index) == [7, 7]
    assert "available" not in df.columns
    mixed = pd.DataFrame(columns(amount=[1.5, "2"]))
    assert results(confirm_frame(mixed, a_pool()))["error_code"] == ["request.amount", None]


def test_what_is_no_dataframe_is_refused() -> None:
    nothing_eager: list[Any] = [pl.LazyFrame(columns()), columns(), None]
    for df in nothing_eager:
        with pytest.raises(TypeError):
            confirm_frame(df, a_pool())


def test_no_more_are_in_flight_than_asked_for(sandbox: Sandbox) -> None:
    client = sandbox.client()
    pool = cbpii.SessionPool(client, sealed())
    pool.keep("claire", sandbox.tokens())
    df = pl.DataFrame({name: values * 10 for name, values in columns().items()})
    assert results(confirm_frame(df, pool, max_in_flight=2))["available"] == [True] * 20
    assert client.statistics.connections <= 2
    with pytest.raises(cbpii.ConfigurationError, match="max_in_flight"):
        confirm_frame(df, pool, max_in_flight=0)


def test_a_bar_shows_only_where_someone_looks_on(capsys: pytest.CaptureFixture[str]) -> None:
    confirm_frame(pl.DataFrame(columns()), a_pool())
    assert capsys.readouterr().err == ""
    confirm_frame(pl.DataFrame(columns()), a_pool(), progress=True)
    assert "2/2" in capsys.readouterr().err


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with monkeypatch.context() as terminal:
        terminal.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        confirm_frame(pl.DataFrame(columns()), a_pool())
        assert "2/2" in capsys.readouterr().err
        confirm_frame(pl.DataFrame(columns()), a_pool(), progress=False)
        assert capsys.readouterr().err == ""
        terminal.setitem(sys.modules, "tqdm.auto", None)
        confirm_frame(pl.DataFrame(columns()), a_pool(), progress=True)
        assert capsys.readouterr().err == ""


def test_a_bar_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    cell = """
        import pandas
        from cbpii.frames import confirm_frame
        from test_frames import a_pool, columns
        confirm_frame(pandas.DataFrame(columns()), a_pool())
    """
    code = nbformat.v4.new_code_cell(textwrap.dedent(cell))  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[code])  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown = str(notebook.cells[0].outputs)
    assert "2/2" in shown
    assert "checked_at" in shown
    assert "Warning" not in shown


def test_without_narwhals_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['narwhals'] = None; import cbpii; import cbpii.frames"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'cbpii[frames]'" in done.stderr
