//! Holds the map of the crates: who may depend on whom, who may know that there are particular subjects, and that no
//! word of a subject's vocabulary is in what must serve every subject.
//!
//! The judging functions are pure, so that the last tests can turn each arrow and plant each word, and see them refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The arrows of the map. What is reached over several arrows may also be depended on directly; nothing else may be.
/// Crates that are not there yet are on the map already.
const ARROWS: &[(&str, &[&str])] = &[
    ("operator-protocols", &[]),
    ("operator-reasoner", &["operator-protocols"]),
    ("operator-core", &["operator-reasoner"]),
    ("operator-llm", &["operator-reasoner"]),
    ("operator-prometheus", &["operator-protocols"]),
    ("operator-tikv", &["operator-prometheus"]),
    ("operator-ratelimiter", &["operator-prometheus"]),
    ("operator-declared", &["operator-prometheus"]),
    ("ratelimiter-service", &[]),
    ("operator-lab", &["operator-core", "operator-tikv", "operator-ratelimiter"]),
    ("operator-server", &["operator-core"]),
    (
        "operator",
        &[
            "operator-server",
            "operator-lab",
            "operator-llm",
            "operator-tikv",
            "operator-ratelimiter",
            "operator-declared",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that serve every subject and know none.
const NEUTRAL: &[&str] = &["crates/protocols", "crates/reasoner", "crates/core", "crates/llm"];

/// Words of the subjects' vocabulary, in any spelling (`sliding window`, `sliding_window`, `SlidingWindow`), singular
/// or plural. Words that are also plain English or general terms of the field (store, leader, node, key, counter,
/// window, drain) are not here.
const VOCABULARY: &[&str] = &[
    // TiKV and what is around it.
    "tikv",
    "ti kv",
    "tidb",
    "tiup",
    "pd",
    "placement driver",
    "region",
    "raft",
    "raftstore",
    "rocksdb",
    "rawkv",
    "tso",
    "evict leader",
    "transfer leader",
    "leader transfer",
    "slow score",
    "coprocessor",
    "prewrite",
    // The rate limiter and what is around it.
    "redis",
    "ratelimiter",
    "limiter",
    "rate limit",
    "ratelimit",
    "rate limiting",
    "sliding window",
    "token bucket",
    "evalsha",
    "loadgen",
    "counter drift",
    "ghost allowing",
    "limit jump",
    "reset counter",
    "resync node",
];

/// Where a word is a constant of somebody else's wire format, and may stand: (folder, the text as it stands there,
/// whose constant it is).
const ALLOWED: &[(&str, &str, &str)] = &[
    ("crates/llm", "rate_limit_error", "the error type of the Anthropic Messages API for status 429"),
    ("crates/llm", "rate_limit_exceeded", "the error code of OpenAI-compatible endpoints for status 429"),
];

/// One crate of the workspace depends on another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    kind: DependencyKind,
}

/// The text of one file, named by its path from the root of the workspace.
#[derive(Debug, Clone)]
struct Source {
    path: String,
    text: String,
}

/// Everything `from` may depend on; none, if it is not on the map.
fn reachable(from: &str) -> Option<BTreeSet<&'static str>> {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut open = arrows.get(from)?.to_vec();
    let mut reached = BTreeSet::new();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend_from_slice(arrows.get(next)?);
        }
    }
    Some(reached)
}

/// Says of each edge that is not along an arrow why it may not be.
fn wrong_arrows(edges: &[Edge]) -> Vec<String> {
    let wrong = edges.iter().filter_map(|edge| {
        let Some(reached) = reachable(&edge.from) else {
            return Some(format!("{} is not on the map: draw its arrows in ARROWS", edge.from));
        };
        // Tests may use the protocol's compliance kit and example, and a crate's own features.
        let for_tests =
            edge.kind == DependencyKind::Development && (edge.to == edge.from || edge.to == "operator-protocols");
        if reached.contains(&*edge.to) || for_tests {
            return None;
        }
        let may =
            if reached.is_empty() { "nothing".to_owned() } else { reached.into_iter().collect::<Vec<_>>().join(", ") };
        Some(format!("{} depends on {} ({}); it may depend on: {may}", edge.from, edge.to, edge.kind))
    });
    wrong.collect()
}

/// Says where a word of the vocabulary stands that may not.
fn planted_words(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            let allowed = ALLOWED.iter().filter(|(folder, ..)| source.path.starts_with(&format!("{folder}/")));
            let line = allowed.fold(line.to_owned(), |line, (_, text, _)| line.replace(text, ""));
            for word in spoken(&line) {
                found.push(format!("{}:{}: {word:?} is a word of one subject", source.path, number + 1));
            }
        }
    }
    found
}

/// The words of the vocabulary in a line: read once as it is written, and once with its identifiers taken apart.
fn spoken(line: &str) -> BTreeSet<&'static str> {
    let (written, apart) = (tokens(line, false), tokens(line, true));
    let says = |tokens: &[String], word: &str| {
        let parts: Vec<_> = word.split(' ').collect();
        tokens.windows(parts.len()).any(|window| {
            window.iter().zip(&parts).all(|(token, part)| token == part || token.strip_suffix('s') == Some(part))
        })
    };
    VOCABULARY.iter().copied().filter(|word| says(&written, word) || says(&apart, word)).collect()
}

/// The runs of letters in a line, lower case; `apart` cuts them where a capital follows a small letter, or the last
/// capital of several begins a word. What cannot stand within a phrase becomes a token of its own.
fn tokens(line: &str, apart: bool) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let mut tokens = vec![String::new()];
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let hump = before.is_some_and(|before| {
            let next_is_small = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
            letter.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && next_is_small)
        });
        if !letter.is_alphabetic() || apart && hump {
            tokens.push(String::new());
        }
        if letter.is_alphabetic() {
            tokens.last_mut().expect("there is always one").extend(letter.to_lowercase());
        } else if !(letter.is_whitespace() || letter.is_ascii_digit() || "_-".contains(letter)) {
            tokens.extend([letter.to_string(), String::new()]);
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// Says where a subject's crate is named outside the one file of the command line that registers subjects, and the
/// subject's own folder in the lab.
fn subjects_named(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut registries = BTreeSet::new();
    for source in sources {
        for subject in ["tikv", "ratelimiter", "declared"] {
            if !source.text.contains(&format!("operator_{subject}")) {
                continue;
            }
            if source.path.starts_with("crates/cli/") {
                registries.insert(&*source.path);
            } else if !source.path.contains(&format!("/{subject}/"))
                && !source.path.ends_with(&format!("/{subject}.rs"))
            {
                found.push(format!("{} names operator_{subject} outside a folder of that name", source.path));
            }
        }
    }
    if registries.len() > 1 {
        let registries: Vec<_> = registries.into_iter().collect();
        found.push(format!(
            "subjects are named in {} files, not in one registry: {}",
            registries.len(),
            registries.join(", ")
        ));
    }
    found
}

/// The relative links of a Markdown page, without what follows `#`.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let relative = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    relative.map(|target| target.split('#').next().unwrap_or_default()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace").to_owned()
}

fn workspace() -> cargo_metadata::Metadata {
    let manifest = root().join("Cargo.toml");
    let offline = vec!["--offline".to_owned()];
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(offline)
        .exec()
        .expect("cargo metadata answers")
}

fn edges() -> Vec<Edge> {
    let packages = workspace().packages;
    let members: BTreeSet<String> = packages.iter().map(|package| package.name.to_string()).collect();
    let dependencies = packages.iter().flat_map(|package| package.dependencies.iter().map(move |to| (package, to)));
    dependencies
        .filter(|(_, to)| members.contains(&to.name))
        .map(|(from, to)| Edge { from: from.name.to_string(), to: to.name.clone(), kind: to.kind })
        .collect()
}

/// Every text file below the `src` of the given crates; a crate that is not there yet has none.
fn sources(crates: &[&str]) -> Vec<Source> {
    let root = root();
    let mut folders: Vec<PathBuf> = crates.iter().map(|path| root.join(path).join("src")).collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

#[track_caller]
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_dependency_is_along_an_arrow() {
    let edges = edges();
    assert!(!edges.is_empty(), "the workspace has dependencies between its crates");
    assert_none("dependencies against the map", &wrong_arrows(&edges));
}

#[test]
fn every_crate_is_on_the_map() {
    let packages = workspace().packages;
    let off = packages.iter().filter(|package| reachable(&package.name).is_none());
    assert_none("crates that are not on the map", &off.map(|package| package.name.to_string()).collect::<Vec<_>>());
}

#[test]
fn the_protocol_depends_on_nothing_but_serde_where_it_is_asked_for() {
    let packages = workspace().packages;
    let protocols = packages.iter().find(|package| package.name == "operator-protocols").expect("there is a protocol");
    let built = protocols.dependencies.iter().filter(|to| to.kind != DependencyKind::Development);
    let unasked = built.filter(|to| !(to.name == "serde" && to.optional)).map(|to| to.name.clone());
    assert_none("dependencies of the protocol", &unasked.collect::<Vec<_>>());
}

#[test]
fn no_word_of_a_subject_is_in_what_serves_every_subject() {
    let sources = sources(NEUTRAL);
    assert!(sources.iter().any(|source| source.path == "crates/protocols/src/lib.rs"), "the sources are found");
    assert_none("words of one subject", &planted_words(&sources));
}

#[test]
fn subjects_are_known_in_one_registry_and_one_folder_of_the_lab_each() {
    assert_none("subjects named elsewhere", &subjects_named(&sources(&["crates/cli", "crates/lab", "crates/server"])));
}

#[test]
fn every_link_of_the_pages_leads_to_a_file() {
    let root = root();
    let mut pages: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(|page| root.join(page)).into();
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root.join(folder)).expect("there are pages");
        let markdown = entries.map(|entry| entry.expect("a folder can be listed").path());
        pages.extend(markdown.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page can be read");
        let folder = page.parent().expect("a page is in a folder");
        let lost = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        broken.extend(lost.map(|link| format!("{}: {link}", page.display())));
    }
    assert_none("links that lead nowhere", &broken);
    assert_eq!(links("see [a](b.md#c), [d](https://e), [f](../g)"), ["b.md", "../g"]);
}

#[test]
fn an_arrow_that_is_turned_is_refused() {
    for edge in edges().into_iter().filter(|edge| edge.from != edge.to) {
        let turned = Edge { from: edge.to.clone(), to: edge.from.clone(), kind: DependencyKind::Normal };
        let refused = wrong_arrows(&[turned]);
        let expected = format!("{} depends on {} (normal); it may depend on: ", edge.to, edge.from);
        assert!(refused.len() == 1 && refused[0].starts_with(&expected), "{edge:?}: {refused:?}");
    }
}

#[test]
fn an_arrow_from_the_core_to_a_subject_is_refused_however_it_is_drawn() {
    for kind in [DependencyKind::Normal, DependencyKind::Build, DependencyKind::Development] {
        let edge = Edge { from: "operator-core".into(), to: "operator-ratelimiter".into(), kind };
        assert_eq!(
            wrong_arrows(&[edge]),
            [format!(
                "operator-core depends on operator-ratelimiter ({kind}); \
                 it may depend on: operator-protocols, operator-reasoner"
            )]
        );
    }
    let stranger = Edge { from: "operator-new".into(), to: "operator-core".into(), kind: DependencyKind::Normal };
    assert_eq!(wrong_arrows(&[stranger]), ["operator-new is not on the map: draw its arrows in ARROWS"]);
}

#[test]
fn a_word_that_is_planted_is_found_however_it_is_spelled() {
    for word in VOCABULARY {
        let camel: String = word.split(' ').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        for spelling in [
            format!("// the {word}."),
            format!("let {}_count = 0;", word.replace(' ', "_")),
            format!("struct {camel}Client;"),
            format!("\"{}s\"", word.to_uppercase()),
            format!("{}-7", word.replace(' ', "-")),
        ] {
            let text = format!("//! Fine.\n{spelling}\n");
            let found = planted_words(&[Source { path: "crates/core/src/x.rs".into(), text }]);
            let expected = format!("crates/core/src/x.rs:2: {word:?} is a word of one subject");
            assert!(found.contains(&expected), "{spelling}: {found:?}");
        }
    }
    let brand = Source { path: "crates/core/src/x.rs".into(), text: "TiKVStore".into() };
    assert_eq!(planted_words(&[brand]), ["crates/core/src/x.rs:1: \"ti kv\" is a word of one subject"]);
}

#[test]
fn words_that_only_look_alike_are_not_found() {
    let text =
        "a draft of regional updates, limited; pdf; at any rate, limits; the window is sliding: Window::new(token)"
            .into();
    assert_none("found", &planted_words(&[Source { path: "crates/core/src/x.rs".into(), text }]));
}

#[test]
fn a_wire_constant_is_allowed_where_it_is_spoken_and_nowhere_else() {
    for (folder, text, _) in ALLOWED {
        let at = |path: String| planted_words(&[Source { path, text: format!("{text:?} => retry") }]);
        assert_none("allowed", &at(format!("{folder}/src/x.rs")));
        assert_eq!(at("crates/core/src/x.rs".into()).len(), 1, "{text}");
    }
}

#[test]
fn a_subject_named_in_a_second_file_is_refused() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let registry = source("crates/cli/src/registry.rs", "use operator_tikv; use operator_ratelimiter;");
    let folder = source("crates/lab/src/tikv/mod.rs", "use operator_tikv::X;");
    assert_none("found", &subjects_named(&[registry.clone(), folder]));
    let second = source("crates/cli/src/main.rs", "operator_tikv::f()");
    assert_eq!(
        subjects_named(&[registry, second]),
        ["subjects are named in 2 files, not in one registry: crates/cli/src/main.rs, crates/cli/src/registry.rs"]
    );
    let astray = source("crates/lab/src/faults.rs", "use operator_tikv::X;");
    assert_eq!(
        subjects_named(&[astray]),
        ["crates/lab/src/faults.rs names operator_tikv outside a folder of that name"]
    );
}
