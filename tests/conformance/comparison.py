"""Compares what came out of the cases of tests/vectors in several languages, fact by fact."""

import json
import re
from collections import Counter
from pathlib import Path

REFERENCE = "rust"

# A request id that no case states is random.
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
# Languages write the saved state of a case as JSON each in its own way, so that a fault in it stands elsewhere.
PLACE = re.compile(r"\(line [0-9]+, column [0-9]+\)")


class Cases:
    """The cases as the files of tests/vectors have them: what each is expected to come to."""

    def __init__(self, folder):
        self.expected = {}
        self.texts = {}
        for path in sorted(folder.glob("*.json")):
            if path.name != "manifest.json":
                for case in read(path)["cases"]:
                    self.add(path.stem, case["name"], case["expect"], case)
        for path in sorted((folder / "journeys").glob("*.json")):
            if path.name != "defaults.json":
                journey = read(path)
                steps = [step.get("expect", {}) for step in journey["steps"]]
                self.add("journeys", path.stem, {"steps": steps}, journey)

    def add(self, suite, name, expected, case):
        if (suite, name) in self.expected:
            raise ValueError(f"{suite}: {name}: is there twice")
        self.expected[suite, name] = expected
        self.texts[suite, name] = shown(case)

    def settled(self, place, facts):
        """The facts of a case without what cannot be the same everywhere."""
        text = self.texts[place]

        def settled(value):
            if isinstance(value, str):
                value = UUID.sub(lambda found: found.group() if found.group() in text else "{uuid}", value)
                return PLACE.sub("(line {n}, column {n})", value)
            if isinstance(value, list):
                return [settled(part) for part in value]
            return {name: settled(member) for name, member in value.items()} if isinstance(value, dict) else value

        return settled(facts)

    def suites(self):
        return sorted({suite for suite, _ in self.expected})


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_outcomes(path):
    """The outcomes of a language, by suite and case; and what is wrong with its lines."""
    outcomes, faults = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            outcome = json.loads(line)
            place = outcome.pop("suite"), outcome.pop("case")
        except (ValueError, KeyError, AttributeError, TypeError):
            faults.append(f"line {number} is no outcome: {line[:120]}")
            continue
        if len(outcome) != 1 or not outcome.keys() <= {"facts", "unsayable"}:
            faults.append(f"{place[0]}: {place[1]}: has not either facts or a reason, but {sorted(outcome)}")
        elif place in outcomes:
            faults.append(f"{place[0]}: {place[1]}: is there twice")
        else:
            outcomes[place] = outcome
    return outcomes, faults


def read_unsayable(path):
    """For each language, the cases it may have a reason for instead of facts."""
    stated = {}
    for entry in read(path)["cases"]:
        assert entry["reason"]
        for language in entry["languages"]:
            stated.setdefault(language, set()).add((entry["suite"], entry["case"]))
    return stated


def differences(expected, actual, where=""):
    """Where two JSON values differ; true is not 1, and 1 is not 1.0."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in sorted(expected.keys() | actual.keys()):
            here = f"{where}.{name}" if where else name
            if name not in actual:
                yield f"{here} is missing, it should be {shown(expected[name])}"
            elif name not in expected:
                yield f"{here} is extra: {shown(actual[name])}"
            else:
                yield from differences(expected[name], actual[name], here)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for place, (one, other) in enumerate(zip(expected, actual, strict=False), 1):
            yield from differences(one, other, f"{where}[{place}]")
    elif shown(expected) != shown(actual):
        yield f"{where} is {shown(actual)}, it should be {shown(expected)}"


def shown(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def unexpected(expected, actual, where=""):
    """Where facts are not what their case expects: it need not name all of them, but an error must be expected."""
    if list(expected) == ["steps"]:
        steps = actual.get("steps", [])
        if len(steps) != len(expected["steps"]):
            yield f"has {len(steps)} steps, it should have {len(expected['steps'])}"
        for place, (one, other) in enumerate(zip(expected["steps"], steps, strict=False), 1):
            yield from unexpected(one, other, f"steps[{place}].")
        return
    for name, value in expected.items():
        if name not in actual:
            yield f"{where}{name} is missing, the case expects {shown(value)}"
        elif shown(value) != shown(actual[name]):
            yield f"{where}{name} is {shown(actual[name])}, the case expects {shown(value)}"
    if "error" in actual and "error" not in expected:
        yield f"{where}error is {shown(actual['error'])}, the case expects none"


class Comparison:
    """What is wrong, and how many cases of each suite each language ran as it should."""

    def __init__(self, cases, outcomes, unsayable):
        self.cases = cases
        self.faults = []
        self.good = Counter()
        self.unsaid = Counter()
        self.reference = outcomes[REFERENCE][0]
        for language, (found, faults) in outcomes.items():
            self.faults += [f"{language}: {fault}" for fault in faults]
            self.compare(language, found, unsayable.get(language, set()))

    def compare(self, language, found, unsayable):
        expected = self.cases.expected
        for place in found.keys() - expected.keys():
            self.fault(language, place, "is no case of tests/vectors")
        for place in expected:
            faults = list(self.faults_of(place, found.get(place), place in unsayable))
            if not faults:
                (self.unsaid if place in unsayable else self.good)[language, place[0]] += 1
            for fault in faults:
                self.fault(language, place, fault)

    def faults_of(self, place, outcome, is_unsayable):
        if outcome is None:
            yield "was not run"
        elif is_unsayable:
            if "facts" in outcome:
                yield "was run, though unsayable.json says that it cannot be"
        elif "unsayable" in outcome:
            yield f"was not run ({outcome['unsayable']}), and unsayable.json does not say so"
        else:
            yield from unexpected(self.cases.expected[place], outcome["facts"])
            reference = self.reference.get(place, {}).get("facts")
            if reference is not None:
                yield from differences(self.cases.settled(place, reference), self.cases.settled(place, outcome["facts"]))

    def fault(self, language, place, what):
        self.faults.append(f"{language}: {place[0]}: {place[1]}: {what}")

    def table(self, languages):
        """Languages x suites; a cell says how many cases ran as they should, and + how many cannot be said there."""
        suites = self.cases.suites()
        count = Counter(suite for suite, _ in self.cases.expected)
        rows = [["", *suites, "all"], ["cases", *(str(count[suite]) for suite in suites), str(len(self.cases.expected))]]
        for language in languages:
            cells = [self.cell(self.good[language, suite], self.unsaid[language, suite]) for suite in suites]
            sums = [sum(tally[language, suite] for suite in suites) for tally in (self.good, self.unsaid)]
            rows.append([language, *cells, self.cell(*sums)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=False)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    @staticmethod
    def cell(good, unsaid):
        return f"{good}+{unsaid}" if unsaid else str(good)


def faults_and_personas(folder, readme):
    """Kinds of faults and personas of the sandbox bank that no journey has."""
    journeys = "".join(path.read_text(encoding="utf-8") for path in (folder / "journeys").glob("*.json"))
    text = readme.read_text(encoding="utf-8")
    personas = [row.split("|")[1].strip() for row in section(text, "## Personas") if row.startswith("| ")][1:]
    kinds = [
        name
        for row in section(text, "## Faults")
        if row.startswith("| `")
        for name in row.split("|")[1].replace("`", "").split(",")
    ]
    assert len(personas) > 10, "the sandbox's README has its personas elsewhere"
    assert len(kinds) > 15, "the sandbox's README has its faults elsewhere"
    for persona in personas:
        if f'"persona": "{persona}"' not in journeys:
            yield f"no journey has the persona {persona}"
    for kind in [kind.strip() for kind in kinds] + ["server_certificate", "tls_versions"]:
        if f'"kind": "{kind}"' not in journeys:
            yield f"no journey has the fault {kind}"


def section(text, heading):
    return text.split(heading, 1)[1].split("\n## ", 1)[0].splitlines()


def outcomes_of(folder, languages):
    return {language: read_outcomes(Path(folder) / f"{language}.jsonl") for language in languages}
