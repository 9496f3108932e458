"""``cbpii check-file``."""

import csv
import json
import os
import signal
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import CLAIRE, LEA, cbpii_command, pool_of
from support import Sandbox

RESULTS = ["available", "error_code", "advice", "request_id", "checked_at"]


@pytest.fixture
def folder(sandbox: Sandbox, configured: Path) -> Path:
    """A working directory with two consents, at two banks."""
    pool_of(sandbox, configured).keep("claire", sandbox.tokens())
    pool_of(sandbox, configured, "bpce-13807").keep("lea", sandbox.tokens("LEA"))
    return configured


def write_csv(path: Path, rows: list[dict[str, Any]], separator: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_csv(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=separator))


def row(number: int, amount: object = "1.10", **changes: Any) -> dict[str, Any]:
    whole = {"consent": "claire", "iban": CLAIRE, "amount": amount, "currency": "EUR", "reference": f"R-{number}"}
    return {**whole, **changes}


def test_the_file_comes_back_with_the_answers(sandbox: Sandbox, folder: Path) -> None:
    rows = [
        row(0, "458.99"),
        row(1, "459"),
        row(2, consent="lea", iban=LEA),
        row(3, consent="nobody"),
        row(4, iban="FR761234"),
        row(5, ""),
    ]
    write_csv(folder / "in.csv", rows)
    (folder / "in.csv").chmod(0o600)
    done = cbpii_command("check-file", "in.csv", "out.csv")
    assert done.code == 7
    answered = read_csv(folder / "out.csv")
    assert list(answered[0]) == [*rows[0], *RESULTS]
    assert [{name: one[name] for name in rows[0]} for one in answered] == rows
    assert [one["available"] for one in answered] == ["true", "false", "true", "", "", ""]
    assert [one["error_code"] for one in answered][3:] == ["consent.unknown", "request.iban", "request.amount"]
    assert stat.S_IMODE((folder / "out.csv").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.glob("*out.csv*")) == ["out.csv"]
    assert len(sandbox.requests()) == 3
    for text in ("yes        2", "no         1", "no answer  3", "[consent.unknown]", "Written to out.csv"):
        assert text in done.out
    assert CLAIRE not in done.out + done.err


def test_for_machines(folder: Path) -> None:
    write_csv(folder / "in.csv", [row(0), row(1, "459")])
    done = cbpii_command("check-file", "in.csv", "out.csv", "--json", "--max-in-flight", "1")
    facts = done.json
    assert facts.pop("seconds") >= 0
    assert done.code == 0
    assert facts == {
        "finished": True,
        "rows": 2,
        "done": 2,
        "done_before": 0,
        "yes": 1,
        "no": 1,
        "errors": {},
        "result": "out.csv",
        "journal": None,
    }


def test_other_columns_separators_and_a_currency_for_all(folder: Path) -> None:
    rows = [{"client": "claire", "compte": CLAIRE, "somme": "1.10", "commande": "4711", "available": "x"}]
    write_csv(folder / "in.csv", rows, ";")
    (folder / "in.csv").write_bytes(b"\xef\xbb\xbf" + (folder / "in.csv").read_bytes() + b"\n\n")
    names = ["--consent-column", "client", "--iban-column", "compte", "--amount-column", "somme"]
    names += ["--reference-column", "commande"]
    lacking = cbpii_command("check-file", "in.csv", "out.csv", *names)
    assert (lacking.code, "or give --currency" in lacking.err) == (2, True)
    assert cbpii_command("check-file", "in.csv", "out.csv", *names, "--currency", "EUR").code == 0
    (answered,) = read_csv(folder / "out.csv", ";")
    assert list(answered) == ["client", "compte", "somme", "commande", *RESULTS]
    assert answered["available"] == "true"


def test_a_column_may_name_the_bank(folder: Path) -> None:
    write_csv(folder / "in.csv", [row(0, bank="bpce-17515"), row(1, bank="bpce-13807"), row(2, bank="")])
    assert cbpii_command("check-file", "in.csv", "out.csv").code == 7
    assert [one["error_code"] for one in read_csv(folder / "out.csv")] == ["", "store.bank", ""]


@pytest.mark.parametrize("amounts", [["1.10", "459"], [Decimal("1.100000"), Decimal("459.000000")], [1, 459]])
def test_parquet(folder: Path, amounts: list[Any]) -> None:
    table = pa.Table.from_pylist([row(0, amounts[0]), row(1, amounts[1], consent=None)])
    pq.write_table(table, folder / "in.parquet")
    assert cbpii_command("check-file", "in.parquet", "out.parquet").code == 7
    answered = pl.read_parquet(folder / "out.parquet")
    assert answered.columns == [*table.column_names, *RESULTS]
    assert answered["available"].to_list() == [True, None]
    assert answered["error_code"].to_list() == [None, "request.consent_id"]
    assert nw.from_native(answered).schema["checked_at"] == nw.Datetime("us", "UTC")


def test_parquet_with_floats_is_refused_with_the_reason(folder: Path) -> None:
    pq.write_table(pa.Table.from_pylist([row(0, 1.1)]), folder / "in.parquet")
    done = cbpii_command("check-file", "in.parquet", "out.parquet")
    assert (done.code, "holds floats" in done.err) == (2, True)


def test_what_an_interruption_leaves_is_gone_on_with(sandbox: Sandbox, folder: Path) -> None:
    write_csv(folder / "in.csv", [row(number) for number in range(40)])
    with running(folder, sandbox, after=20) as process:
        process.send_signal(signal.SIGINT)
        assert "Waiting for the checks under way" in process.stderr.readline()  # type: ignore[union-attr]
        sandbox.clear_faults()
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    facts = json.loads(out)
    assert facts["finished"] is False
    assert 20 < facts["done"] < 40
    assert not (folder / "out.csv").exists()
    journal = folder / "out.csv.journal"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert CLAIRE not in journal.read_text()

    again = cbpii_command("check-file", "in.csv", "out.csv", "--json").json
    assert (again["finished"], again["done_before"], again["yes"]) == (True, facts["done"], 40)
    references = [json.loads(one["body"])["paymentCoverageRequestId"] for one in sandbox.requests()]
    assert sorted(references) == sorted(f"R-{number}" for number in range(40))
    assert not journal.exists()


def test_a_second_ctrl_c_ends_at_once(sandbox: Sandbox, folder: Path) -> None:
    write_csv(folder / "in.csv", [row(number) for number in range(40)])
    with running(folder, sandbox, after=5) as process:
        process.send_signal(signal.SIGTERM)
        process.stderr.readline()  # type: ignore[union-attr]
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    done = json.loads(out)["done"]
    sandbox.clear_faults()
    again = cbpii_command("check-file", "in.csv", "out.csv", "--json").json
    assert done <= again["done_before"] <= 5
    assert again["yes"] == 40


def test_a_process_that_was_killed(sandbox: Sandbox, folder: Path) -> None:
    write_csv(folder / "in.csv", [row(number) for number in range(20)])
    with running(folder, sandbox, after=5) as process:
        process.kill()
    sandbox.clear_faults()
    journal = folder / "out.csv.journal"
    with journal.open("a") as file:
        file.write('{"row":19,"availa')
    again = cbpii_command("check-file", "in.csv", "out.csv", "--json").json
    assert (again["finished"], again["yes"]) == (True, 20)
    assert again["done_before"] <= 5


def running(folder: Path, sandbox: Sandbox, after: int) -> "subprocess.Popen[str]":
    """The command as a process whose checks hang from this one on."""
    sandbox.fault("funds", "hold", times=None, after=after)
    process = subprocess.Popen(
        [sys.executable, "-m", "cbpii", "check-file", "in.csv", "out.csv", "--json", "--max-in-flight", "2"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    sandbox.requests(wait_for=after + 1)
    return process


def test_rows_without_an_answer_for_a_passing_reason_are_asked_again(sandbox: Sandbox, folder: Path) -> None:
    write_csv(folder / "in.csv", [row(0), row(1, iban="FR761234"), row(2)])
    lines = [
        {"cbpii_journal": 1, "input_sha256": sha256_of(folder / "in.csv")},
        {"row": 0, "error_code": "network.connect", "advice": "retry"},
        {"row": 1, "error_code": "request.iban", "advice": "fix_request"},
        {"row": 2, "available": False, "request_id": "id-2", "checked_at": "2026-11-24T12:00:00+00:00"},
    ]
    (folder / "out.csv.journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
    facts = cbpii_command("check-file", "in.csv", "out.csv", "--json").json
    assert (facts["done_before"], facts["yes"], facts["no"], facts["errors"]) == (2, 1, 1, {"request.iban": 1})
    assert len(sandbox.requests()) == 1
    assert read_csv(folder / "out.csv")[2]["checked_at"] == "2026-11-24T12:00:00+00:00"


def sha256_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_journal_belongs_to_its_input(folder: Path) -> None:
    write_csv(folder / "in.csv", [row(0)])
    journal = folder / "out.csv.journal"
    for content, text in [('{"cbpii_journal":1,"input_sha256":"x"}\n', "--restart"), ("hello\n", "damaged")]:
        journal.write_text(content)
        done = cbpii_command("check-file", "in.csv", "out.csv")
        assert (done.code, text in done.err) == (2, True)
        assert journal.read_text() == content
    assert cbpii_command("check-file", "in.csv", "out.csv", "--restart").code == 0


def test_two_runs_do_not_ask_the_same(sandbox: Sandbox, folder: Path) -> None:
    write_csv(folder / "in.csv", [row(number) for number in range(5)])
    with running(folder, sandbox, after=0) as process:
        done = cbpii_command("check-file", "in.csv", "out.csv")
        assert (done.code, "Another run" in done.err) == (2, True)
        sandbox.clear_faults()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_nothing_is_overwritten_by_accident(folder: Path) -> None:
    write_csv(folder / "in.csv", [row(0)])
    (folder / "out.csv").write_text("precious")
    assert "--overwrite" in cbpii_command("check-file", "in.csv", "out.csv").err
    assert (folder / "out.csv").read_text() == "precious"
    assert cbpii_command("check-file", "in.csv", "out.csv", "--overwrite").code == 0
    assert "replace the input" in cbpii_command("check-file", "in.csv", "in.csv", "--overwrite").err
    assert "of different kinds" in cbpii_command("check-file", "in.csv", "out.parquet").err


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("in.xlsx", b"", "neither .csv nor .parquet"),
        ("missing.csv", None, "missing.csv cannot be read"),
        ("latin.csv", "réf,consent\n".encode("latin-1"), "not UTF-8"),
        ("broken.csv", b'consent,iban,amount,currency,reference\n"a', "not proper CSV"),
        ("columns.csv", b"consent,iban,amount\n", "no column 'currency'"),
        ("empty.csv", b"", "no column 'consent'"),
        ("in.parquet", b"no parquet", "in.parquet cannot be read"),
    ],
)
@pytest.mark.usefixtures("configured")
def test_files_that_cannot_be_read(name: str, content: bytes | None, text: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    done = cbpii_command("check-file", name, "out" + Path(name).suffix)
    assert done.code == 2
    assert text in done.err


def test_a_file_without_rows(folder: Path) -> None:
    (folder / "in.csv").write_text("consent,iban,amount,currency,reference\n")
    assert cbpii_command("check-file", "in.csv", "out.csv").code == 0
    assert (folder / "out.csv").read_text() == "consent,iban,amount,currency,reference," + ",".join(RESULTS) + "\n"


def test_a_progress_bar_on_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(folder / "in.csv", [row(0)])
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "1/1" in cbpii_command("check-file", "in.csv", "out.csv").err


def test_parquet_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "in.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install 'cbpii[parquet]'" in cbpii_command("check-file", "in.parquet", "out.parquet").err


def test_places_that_cannot_be_written(folder: Path) -> None:
    write_csv(folder / "in.csv", [row(0)])
    done = cbpii_command("check-file", "in.csv", "missing/out.csv")
    assert (done.code, "journal missing/out.csv.journal cannot be written" in done.err) == (2, True)
    (folder / ".out.csv.unfinished").mkdir()
    done = cbpii_command("check-file", "in.csv", "out.csv")
    assert (done.code, "out.csv cannot be written" in done.err) == (2, True)
    (folder / ".out.csv.unfinished").rmdir()
    assert cbpii_command("check-file", "in.csv", "out.csv", "--json").json["done_before"] == 1


def test_without_a_usual_bank_the_store_says_which(folder: Path) -> None:
    path = folder / "cbpii.toml"
    path.write_text(path.read_text().replace('bank = "bpce-17515"', "", 1))
    write_csv(folder / "in.csv", [row(0), row(1, consent="lea", iban=LEA)])
    assert cbpii_command("check-file", "in.csv", "out.csv").code == 0
