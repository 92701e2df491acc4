//! House rules that a compiler does not know.

use highwater_core::config::{ConfigDef, table};

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
const WORKSPACE: &str = include_str!("../../Cargo.toml");

/// How the documentation of a setting begins that does nothing.
const INERT: &str = "Stored and shown, without effect";

#[test]
fn the_documentation_lists_the_settings_that_act_and_no_other() {
    let named = |def: &ConfigDef| CONFIGURATION.contains(&format!("`{}`", def.name));
    let tables = [table::TOPIC, table::BROKER];
    let wrong: Vec<&str> = tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(|def| named(def) == def.doc.starts_with(INERT))
        .map(|def| def.name)
        .collect();
    assert!(wrong.is_empty(), "docs/configuration.md and the table of settings disagree on {wrong:?}");
}

#[test]
fn every_setting_says_what_it_does() {
    for def in [table::TOPIC, table::BROKER, table::GROUP, table::CLIENT_METRICS].into_iter().flatten() {
        assert!(def.doc.ends_with('.') && def.doc.len() > 10, "{}: {:?}", def.name, def.doc);
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let dependencies = WORKSPACE.split("[workspace.dependencies]").nth(1).expect("a section");
    let dependencies = dependencies.split("\n[").next().expect("its lines");
    let foreign: Vec<&str> =
        dependencies.lines().filter(|line| line.contains(" = ") && !line.contains("path = ")).collect();
    assert!(foreign.len() > 20, "the section was read");
    for line in foreign {
        assert!(line.split_once('#').is_some_and(|(_, reason)| reason.trim().len() > 5), "no reason: {line}");
    }
}
