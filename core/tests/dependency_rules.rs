//! The rules on who may depend on what, read from `cargo metadata`; and no bank's name in the code.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId, TargetKind};

/// What the library ships with. A new line here is a decision: see the reasons in the workspace's `Cargo.toml`.
const REVIEWED: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "base64",
    "chacha20poly1305",
    "fluent-uri",
    "form_urlencoded",
    "getrandom",
    "http",
    "httparse",
    "httpdate",
    "iban_validate",
    "iso_currency",
    "log",
    "p12-keystore",
    "percent-encoding",
    "pkcs8",
    "ring",
    "rusqlite",
    "rust_decimal",
    "rustls",
    "serde",
    "serde_json",
    "subtle",
    "time",
    "uuid",
    "webpki-roots",
    "x509-parser",
    "zeroize",
];

/// What must not be anywhere in what the library ships: async runtimes, and a second TLS.
const BANNED: &[&str] = &[
    "actix-rt",
    "async-global-executor",
    "async-io",
    "async-std",
    "chrono",
    "futures",
    "futures-executor",
    "hyper",
    "hyper-rustls",
    "mio",
    "native-tls",
    "openssl",
    "openssl-sys",
    "reqwest",
    "schannel",
    "security-framework",
    "smol",
    "tokio",
    "tokio-rustls",
];

/// What a door to another language must not use itself: logic lives in the core, behind its public names. (The decimal of
/// `rust_decimal` is one of those.)
const BEHIND_THE_CORE: &[&str] = &[
    "fluent-uri",
    "http",
    "httparse",
    "ring",
    "rusqlite",
    "rustls",
    "serde",
    "serde_json",
    "time",
    "x509-parser",
];

/// The doors to other languages.
const DOORS: &[&str] = &["cbpii-ffi", "cbpii-mobile", "cbpii-node", "cbpii-python"];

const CORE: &str = "cbpii";
const SANDBOX: &str = "cbpii-sandbox";

fn metadata(arguments: &[&str]) -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let other: Vec<String> = ["--locked"].iter().chain(arguments).map(ToString::to_string).collect();
    MetadataCommand::new().manifest_path(manifest).other_options(other).exec().expect("cargo metadata")
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    let found = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name);
    found.unwrap_or_else(|| panic!("the workspace has {name}"))
}

/// The names of what a package itself lists as a dependency of this kind.
fn listed(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == kind)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

/// Everything that is compiled into `root`: its dependencies of kind normal and theirs, and on the way there what
/// build scripts use.
fn shipped<'a>(metadata: &'a Metadata, root: &'a PackageId) -> BTreeSet<&'a str> {
    let nodes = &metadata.resolve.as_ref().expect("a resolved tree").nodes;
    let nodes: BTreeMap<&PackageId, &Node> = nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let normal = nodes[id]
            .deps
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        open.extend(normal.map(|dependency| &dependency.pkg));
    }
    seen.into_iter().filter(|id| *id != root).map(|id| metadata[id].name.as_str()).collect()
}

#[test]
fn the_library_ships_with_the_reviewed_crates_only() {
    let metadata = metadata(&["--no-deps"]);
    let normal = listed(package(&metadata, CORE), DependencyKind::Normal);
    assert_eq!(normal, REVIEWED.iter().copied().collect(), "review a new dependency, then list it here");
}

#[test]
fn the_library_ships_neither_a_runtime_nor_a_second_tls() {
    for arguments in [&["--all-features"][..], &[][..]] {
        let metadata = metadata(arguments);
        let shipped = shipped(&metadata, &package(&metadata, CORE).id);
        assert!(
            shipped.contains("rustls") && shipped.len() > REVIEWED.len(),
            "the tree was read: {shipped:?}"
        );
        let banned: Vec<&&str> = BANNED.iter().filter(|name| shipped.contains(*name)).collect();
        assert!(banned.is_empty(), "{banned:?} would be shipped");
    }
}

#[test]
fn dependencies_point_inward() {
    let metadata = metadata(&["--no-deps"]);
    let members: BTreeSet<&str> =
        metadata.workspace_packages().into_iter().map(|package| package.name.as_str()).collect();
    let core = package(&metadata, CORE);
    for kind in [DependencyKind::Normal, DependencyKind::Build] {
        let of_ours: Vec<_> = listed(core, kind).intersection(&members).copied().collect();
        assert!(of_ours.is_empty(), "the core depends on {of_ours:?}");
    }
    let sandbox = package(&metadata, SANDBOX);
    for kind in [DependencyKind::Normal, DependencyKind::Build, DependencyKind::Development] {
        let of_ours: Vec<_> = listed(sandbox, kind).intersection(&members).copied().collect();
        assert!(of_ours.is_empty(), "the sandbox bank shares no code with the library, but has {of_ours:?}");
    }
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        // What is in tests/ is not shipped.
        if !package.manifest_path.starts_with(metadata.workspace_root.join("tests")) {
            assert!(
                !listed(package, DependencyKind::Normal).contains(SANDBOX),
                "{name} would ship the sandbox bank"
            );
        }
    }
}

#[test]
fn doors_sit_on_the_core_only() {
    let metadata = metadata(&["--no-deps"]);
    for door in DOORS {
        let normal = listed(package(&metadata, door), DependencyKind::Normal);
        assert!(normal.contains(CORE), "{door} opens to the core");
        let forbidden: Vec<_> = BEHIND_THE_CORE.iter().filter(|name| normal.contains(*name)).collect();
        assert!(forbidden.is_empty(), "{door} uses {forbidden:?} itself");
    }
}

#[test]
fn the_workspace_has_one_version() {
    let metadata = metadata(&["--no-deps"]);
    let version = &package(&metadata, CORE).version;
    for package in metadata.workspace_packages() {
        assert_eq!(&package.version, version, "{}", package.name);
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{}", package.name);
    }
}

#[test]
fn the_library_has_no_build_script() {
    let metadata = metadata(&["--no-deps"]);
    let core = package(&metadata, CORE);
    let scripts: Vec<_> =
        core.targets.iter().filter(|target| target.kind.contains(&TargetKind::CustomBuild)).collect();
    assert!(scripts.is_empty(), "{scripts:?}");
    assert!(listed(core, DependencyKind::Build).is_empty());
    assert_eq!(core.links, None);
}

/// A bank is data: its name and code are in `directory.json`, and in examples and tests, but in no code.
#[test]
fn no_code_knows_a_bank_by_its_name() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let directory = std::fs::read_to_string(source.join("bank/directory.json")).unwrap();
    let names = bank_names(&serde_json::from_str(&directory).unwrap());
    assert!(names.contains("lydia") && names.contains("17515") && names.len() > 40, "{names:?}");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 30, "the sources were found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in code(&text) {
            let lower = line.to_lowercase();
            let known = names.iter().find(|name| lower.contains(name.as_str()));
            assert!(known.is_none(), "{}:{number} names the bank {known:?}: {line}", file.display());
        }
    }
}

/// Ids, codes, names and domains of the directory, in small letters.
fn bank_names(directory: &serde_json::Value) -> BTreeSet<String> {
    const TELLING: &[&str] = &["id", "code", "name", "brand", "domain"];
    let mut names = BTreeSet::new();
    let mut open = vec![directory];
    while let Some(value) = open.pop() {
        if let Some(members) = value.as_object() {
            let telling = members.iter().filter(|(name, _)| TELLING.contains(&name.as_str()));
            names.extend(telling.filter_map(|(_, value)| value.as_str()).map(str::to_lowercase));
            open.extend(members.values());
        }
        open.extend(value.as_array().into_iter().flatten());
    }
    names
}

fn rust_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("test_support.rs")
        {
            files.push(path);
        }
    }
}

/// The lines of a file with their numbers, without comments and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
    lines.take_while(|(_, line)| *line != "mod tests {").filter(|(_, line)| !line.starts_with("//"))
}
