//! The Markdown of this repository, read as rustdoc reads it.

use std::collections::BTreeSet;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::{read, root};

/// A page: what is in it for a machine.
pub(crate) struct Page {
    /// From the repository's root, with slashes.
    pub(crate) path: String,
    pub(crate) blocks: Vec<Block>,
    /// Where links and pictures lead, with their lines.
    pub(crate) links: Vec<(usize, String)>,
    /// What `#…` may name, as GitHub names headings.
    pub(crate) anchors: BTreeSet<String>,
}

/// A fenced block.
pub(crate) struct Block {
    pub(crate) line: usize,
    /// The words after the fence, which commas or spaces part.
    pub(crate) info: Vec<String>,
    pub(crate) code: String,
}

impl Block {
    /// The language it is written in. Without one it is Rust, as rustdoc has it.
    pub(crate) fn language(&self) -> &str {
        let first = self.info.iter().map(String::as_str).find(|word| *word != "no_run");
        first.unwrap_or("rust")
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.info.iter().any(|other| other == word)
    }
}

/// Every page of the repository, by path.
pub(crate) fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    collect(&root(), "", &mut paths);
    paths.sort();
    let pages: Vec<Page> = paths.into_iter().map(Page::read).collect();
    assert!(pages.len() > 20, "the pages were found");
    pages
}

/// What tools leave behind, and what they fetch.
const NOT_OURS: &[&str] = &["build", "dist", "node_modules", "target"];

fn collect(folder: &Path, name: &str, paths: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        let path = if name.is_empty() { file.clone() } else { format!("{name}/{file}") };
        if entry.file_type().unwrap().is_dir() {
            if !file.starts_with('.') && !NOT_OURS.contains(&file.as_str()) {
                collect(&entry.path(), &path, paths);
            }
        } else if Path::new(&file).extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}

impl Page {
    pub(crate) fn read(path: String) -> Self {
        let text = read(&path);
        let (blocks, links, anchors) = (blocks(&text), links(&text), anchors(&text));
        Self { path, blocks, links, anchors }
    }
}

fn events(text: &str) -> impl Iterator<Item = (Event<'_>, usize)> {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    parser.map(|(event, range)| (event, text[..range.start].matches('\n').count() + 1))
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (event, line) in events(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let info =
                    info.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
                open = Some(Block { line, info, code: String::new() });
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                panic!("line {line}: code is fenced, so that its language is known")
            }
            Event::Text(words) => open.iter_mut().for_each(|block| block.code.push_str(&words)),
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

fn links(text: &str) -> Vec<(usize, String)> {
    let links = events(text).filter_map(|(event, line)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some((line, dest_url.into_string()))
        }
        _ => None,
    });
    links.collect()
}

/// A heading's name: small letters, digits, hyphens and underscores, with hyphens for spaces, and a number when it is there
/// already.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for (event, _) in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(words) | Event::Code(words) => {
                heading.iter_mut().for_each(|heading| heading.push_str(&words));
            }
            Event::End(TagEnd::Heading(_)) => {
                let words = heading.take().unwrap().to_lowercase().replace(' ', "-");
                let name: String =
                    words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
                let free = (1..).map(|again| format!("{name}-{again}"));
                let name = std::iter::once(name.clone()).chain(free).find(|name| !anchors.contains(name));
                anchors.extend(name);
            }
            _ => {}
        }
    }
    anchors
}
