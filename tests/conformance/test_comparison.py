"""The comparison must be able to fail: each test makes one thing wrong."""

import copy
import json
import tempfile
import unittest
from pathlib import Path

import comparison

CASES = {
    "callbacks.json": {
        "about": "",
        "cases": [{"name": "a", "expect": {"code": "x"}}, {"name": "b", "expect": {"error": "e"}}],
    }
}
JOURNEY = {"about": "", "steps": [{"do": "client"}, {"do": "confirm_funds", "expect": {"available": True}}]}
GOOD = [
    {"suite": "callbacks", "case": "a", "facts": {"code": "x", "length": 1}},
    {"suite": "callbacks", "case": "b", "facts": {"error": "e", "kind": "k"}},
    {"suite": "journeys", "case": "yes", "facts": {"steps": [{"bank_id": "b"}, {"available": True, "reference": "r"}]}},
]
UNSAYABLE = [{"suite": "callbacks", "case": "b", "languages": ["c"], "reason": "NUL"}]


class ComparisonTest(unittest.TestCase):
    def faults(self, change, *, reference=None, unsayable=()):
        """What is found when one language's outcomes are changed, the others' being good."""
        lines = copy.deepcopy(GOOD)
        lines = change(lines) or lines
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "journeys").mkdir()
            (folder / "manifest.json").write_text("{}")
            (folder / "journeys" / "defaults.json").write_text("{}")
            (folder / "journeys" / "yes.json").write_text(json.dumps(JOURNEY))
            for file, content in CASES.items():
                (folder / file).write_text(json.dumps(content))
            (folder / "unsayable").write_text(json.dumps({"cases": list(unsayable)}))
            self.write(folder / "rust.jsonl", GOOD if reference is None else reference(copy.deepcopy(GOOD)))
            self.write(folder / "c.jsonl", lines)
            cases, outcomes = comparison.Cases(folder), comparison.outcomes_of(folder, ["rust", "c"])
            self.compared = comparison.Comparison(cases, outcomes, comparison.read_unsayable(folder / "unsayable"))
        return self.compared.faults

    @staticmethod
    def write(path, lines):
        path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))

    def test_what_is_good_is_found_good(self):
        assert self.faults(lambda lines: lines[::-1]) == []
        assert self.compared.table(["rust", "c"]).splitlines()[-1].split() == ["c", "2", "1", "3"]

    def test_a_missing_case_is_found(self):
        for place, name in enumerate(["callbacks: a", "callbacks: b", "journeys: yes"]):
            faults = self.faults(lambda lines, place=place: lines[:place] + lines[place + 1 :])
            assert faults == [f"c: {name}: was not run"]

    def test_an_empty_outcome_is_found(self):
        assert len(self.faults(lambda _: [""])) == 3

    def test_an_extra_case_is_found(self):
        extra = {"suite": "callbacks", "case": "z", "facts": {}}
        assert self.faults(lambda lines: [*lines, extra]) == ["c: callbacks: z: is no case of tests/vectors"]

    def test_a_repeated_case_is_found(self):
        assert self.faults(lambda lines: [*lines, lines[0]]) == ["c: callbacks: a: is there twice"]

    def test_a_line_that_is_no_outcome_is_found(self):
        for line in ("nonsense\n", "[]\n", '{"suite": "callbacks"}\n', "1\n"):
            assert "line 4 is no outcome" in self.faults(lambda lines, line=line: [*lines, line])[0]
        assert self.faults(lambda lines: [*lines[:2], {"suite": "journeys", "case": "yes"}])

    def test_a_fact_that_differs_is_found(self):
        def change(lines):
            lines[0]["facts"]["length"] = 2

        assert self.faults(change) == ["c: callbacks: a: length is 2, it should be 1"]

    def test_a_fact_of_another_type_is_found(self):
        for value in (True, 1.0, "1", None, [1]):

            def change(lines, value=value):
                lines[0]["facts"]["length"] = value

            assert len(self.faults(change)) == 1

    def test_a_missing_and_an_extra_fact_are_found(self):
        def change(lines):
            del lines[1]["facts"]["kind"]
            lines[1]["facts"]["sort"] = "k"

        faults = self.faults(change)
        assert faults[0] == 'c: callbacks: b: kind is missing, it should be "k"'
        assert faults[1] == 'c: callbacks: b: sort is extra: "k"'

    def test_a_fact_of_a_step_that_differs_is_found(self):
        def change(lines):
            lines[2]["facts"]["steps"][1]["reference"] = "s"

        assert self.faults(change) == ['c: journeys: yes: steps[2].reference is "s", it should be "r"']

    def test_a_missing_step_is_found(self):
        def change(lines):
            del lines[2]["facts"]["steps"][1]

        assert "c: journeys: yes: has 1 steps, it should have 2" in self.faults(change)

    def test_what_all_languages_do_wrong_is_found(self):
        def no(lines):
            lines[2]["facts"]["steps"][1]["available"] = False
            return lines

        faults = self.faults(no, reference=no)
        assert [fault.split(":")[0] for fault in faults] == ["rust", "c"]

    def test_an_error_that_is_not_expected_is_found(self):
        def fail(lines):
            lines[2]["facts"]["steps"][0] = {"error": "e"}
            return lines

        assert 'rust: journeys: yes: steps[1].error is "e", the case expects none' in self.faults(fail, reference=fail)

    def test_what_cannot_be_the_same_is_left_out(self):
        def with_facts(id, column):
            def change(lines):
                lines[0]["facts"]["id"] = f"{id} (line 1, column {column})"
                return lines

            return change

        one, other = "7418dfb4-9799-4025-8ffa-607dd8adbbba", "472bb070-0a8d-409b-b1d0-c01b36cd454a"
        assert self.faults(with_facts(other, 2), reference=with_facts(one, 1)) == []
        assert len(self.faults(with_facts("no id", 2), reference=with_facts(one, 1))) == 1

    def test_a_skipped_case_must_be_stated(self):
        def skip(lines):
            lines[1] = {"suite": "callbacks", "case": "b", "unsayable": "NUL"}

        assert len(self.faults(skip)) == 1
        assert self.faults(skip, unsayable=UNSAYABLE) == []
        assert self.compared.table(["c"]).splitlines()[-1].split() == ["c", "1+1", "1", "2+1"]

    def test_a_stated_case_must_be_skipped(self):
        assert len(self.faults(lambda lines: lines, unsayable=UNSAYABLE)) == 1
        assert len(self.faults(lambda lines: [lines[0], lines[2]], unsayable=UNSAYABLE)) == 1
