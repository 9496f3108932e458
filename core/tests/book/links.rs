//! Every link of every page leads somewhere. Addresses of the web are not looked up: a test contacts loopback only.

use std::path::{Component, Path, PathBuf};

use crate::page::{Page, pages};
use crate::root;

/// This repository, for pages that are read elsewhere, in a package's registry.
const ON_THE_WEB: &str = "https://github.com/cbpii/cbpii/blob/main/";

/// Where the manual is, whose pages rustdoc renders.
const MANUAL: &str = "core/src/manual/";

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut checked = 0;
    let mut broken = Vec::new();
    for page in &pages {
        for (line, target) in &page.links {
            if !leads_somewhere(page, target, &pages) {
                broken.push(format!("{}:{line}: {target}", page.path));
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "the links were found: {checked}");
    assert!(broken.is_empty(), "{broken:#?}");
}

fn leads_somewhere(page: &Page, target: &str, pages: &[Page]) -> bool {
    if let Some(path) = target.strip_prefix(ON_THE_WEB) {
        return root().join(path).exists();
    }
    if target.starts_with("https://") {
        return true;
    }
    if page.path.starts_with(MANUAL) {
        // There is no such file beside the rendered page. The names are rustdoc's to check (`make doc`).
        return target.starts_with("crate::")
            || target.starts_with('#') && page.anchors.contains(&target[1..]);
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { page.path.clone() } else { resolved(&page.path, path) };
    if !root().join(&path).exists() {
        return false;
    }
    let named = |anchor: &str| pages.iter().any(|page| page.path == path && page.anchors.contains(anchor));
    anchor.is_none_or(named)
}

/// A path beside a page, from the repository's root.
fn resolved(page: &str, path: &str) -> String {
    let mut resolved = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(path).components() {
        match part {
            Component::ParentDir => assert!(resolved.pop(), "{page}: {path} leads out of the repository"),
            part => resolved.push(part),
        }
    }
    resolved.into_os_string().into_string().unwrap()
}

/// The table of contents is the README's.
#[test]
fn every_page_is_reached_from_the_readme() {
    let pages = pages();
    let mut reached = vec!["README.md".to_owned()];
    let mut next = 0;
    while let Some(path) = reached.get(next).cloned() {
        next += 1;
        let Some(page) = pages.iter().find(|page| page.path == path) else { continue };
        let here = page.links.iter().filter(|(_, target)| !target.contains(':') && !target.starts_with('#'));
        for (_, target) in here {
            let target = resolved(&path, target.split('#').next().unwrap());
            if !reached.contains(&target) {
                reached.push(target);
            }
        }
    }
    let lost: Vec<&str> = pages
        .iter()
        .map(|page| page.path.as_str())
        .filter(|path| !reached.iter().any(|other| other == path))
        .collect();
    assert!(lost.is_empty(), "no way leads from README.md to {lost:#?}");
}
