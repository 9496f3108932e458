"""What `write` wrote is valid and complete. The second opinion is cargo's own tree, and the lock file."""

import functools
import json
import os
import pathlib
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
import tomllib
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def load_write():
    spec = spec_from_loader("write", SourceFileLoader("write", str(HERE / "write")))
    assert spec
    assert spec.loader
    module = sys.modules["write"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write = load_write()
NAMES = sorted(write.ARTEFACTS)


@functools.cache
def text(name: str) -> str:
    return (pathlib.Path(os.environ["SBOM_FOLDER"]) / f"{name}.cdx.json").read_text()


def components(name: str) -> dict[str, dict]:
    bom = json.loads(text(name))
    return {one["bom-ref"]: one for one in [bom["metadata"]["component"], *bom["components"]]}


def crates(name: str) -> dict[tuple[str, str], dict]:
    found = {(one["name"], one["version"]): one for one in components(name).values() if one["purl"].startswith("pkg:cargo/")}
    assert len(found) == sum(one["purl"].startswith("pkg:cargo/") for one in components(name).values())
    return found


def features(component: dict) -> set[str]:
    value = next(one.get("value", "") for one in component["properties"] if one["name"] == "cargo:features")
    return set(filter(None, value.split(",")))


@functools.cache
def tree(name: str) -> dict[tuple[str, str], set[str]]:
    """What cargo tree says: crates and their features."""
    artefact = write.ARTEFACTS[name]
    command = [
        "cargo",
        "tree",
        "--locked",
        "-p",
        artefact.package,
        "-e",
        "normal,no-proc-macro",
        "--target",
        artefact.target,
    ]
    command += ["--prefix", "none", "--format", "{p}|{f}"]
    found: dict[tuple[str, str], set[str]] = {}
    for line in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        package, _, listed = line.removesuffix(" (*)").partition("|")
        crate, version = package.split()[:2]
        found.setdefault((crate, version.removeprefix("v")), set()).update(filter(None, listed.split(",")))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_cyclonedx(name):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text(name)) is None


@pytest.mark.parametrize("name", NAMES)
def test_it_lists_the_crates_and_features_of_cargo_tree(name):
    assert {crate: features(component) for crate, component in crates(name).items()} == tree(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_crate_has_its_licence_and_the_checksum_that_is_locked(name):
    locked = {
        (one["name"], one["version"]): one.get("checksum")
        for one in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    }
    for crate, component in crates(name).items():
        assert component["licenses"], crate
        assert [one["content"] for one in component.get("hashes", [])] == list(filter(None, [locked[crate]])), crate


@pytest.mark.parametrize("name", NAMES)
def test_every_component_is_reached_from_the_artefact(name):
    bom = json.loads(text(name))
    below = {one["ref"]: one.get("dependsOn", []) for one in bom["dependencies"]}
    reached, rest = set(), [bom["metadata"]["component"]["bom-ref"]]
    while rest:
        one = rest.pop()
        if one not in reached:
            reached.add(one)
            rest.extend(below.get(one, []))
    assert reached == set(components(name))


@pytest.mark.parametrize("name", NAMES)
def test_one_cryptography_is_in_it_and_nothing_of_the_tests(name):
    names = {crate for crate, _ in crates(name)}
    assert len(names & {"ring", "aws-lc-rs"}) == 1
    assert not names & {"cbpii-sandbox", "proptest", "rcgen", "tokio", "cc", "bindgen", "syn"}


@pytest.mark.parametrize("name", NAMES)
def test_bundled_c_is_named_by_its_own_version(name):
    found = {one["name"] for one in components(name).values() if one["purl"].startswith("pkg:generic/")}
    assert found == ({"sqlite"} if name.startswith("mobile") else {"sqlite", "aws-lc"})


@pytest.mark.parametrize("name", ["c-library", "mobile-library-jvm", "mobile-library-android", "mobile-library-ios"])
def test_nothing_that_is_logged_is_in_it(name):
    (log,) = (component for (crate, _), component in crates(name).items() if crate == "log")
    assert "release_max_level_off" in features(log)


@pytest.mark.parametrize("name", NAMES)
def test_overflow_is_checked_in_what_ships(name):
    """On phones, where size counts, in our own crates."""
    shipped = [unit for unit in write.graph(write.ARTEFACTS[name]) if unit["mode"] == "build"]
    if write.ARTEFACTS[name].profile == "mobile":
        shipped = [unit for unit in shipped if "cbpii" in unit["target"]["name"]]
    assert shipped
    assert all(unit["profile"]["overflow_checks"] for unit in shipped if unit["profile"]["opt_level"] != "0")


def test_dependencies_of_other_registries():
    def purls(name: str, kind: str) -> set[str]:
        return {one["purl"] for one in components(name).values() if one["purl"].startswith(f"pkg:{kind}/")}

    assert {one.split("/")[2].split("@")[0] for one in purls("mobile-library-jvm", "maven")} == {
        "kotlin-stdlib",
        "kotlinx-coroutines-core-jvm",
        "jna",
    }
    extras = {"narwhals", "pandas", "platformdirs", "pyarrow", "pydantic", "rich", "tomli", "tqdm", "typer"}
    assert {one.removeprefix("pkg:pypi/") for one in purls("python-wheel", "pypi")} <= extras
    assert purls("python-wheel", "pypi")
    package = json.loads((ROOT / "node/package.json").read_text())
    assert len(purls("node-addon", "npm")) == len(package.get("dependencies", {}))


def test_it_is_the_same_every_time(tmp_path):
    write.write_into(tmp_path)
    for name in NAMES:
        assert (tmp_path / f"{name}.cdx.json").read_text() == text(name)
