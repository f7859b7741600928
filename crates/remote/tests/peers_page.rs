//! The page that tells people what servers written by others lack.

#[path = "peer/lacks.rs"]
mod lacks;

use self::lacks::SERVERS;

const PAGE: &str = include_str!("../../../docs/peers.md");

#[test]
fn the_page_says_what_each_server_lacks() {
    let sections: Vec<&str> = PAGE.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), SERVERS.len());
    for (name, lacks) in SERVERS {
        let section = sections.iter().find(|section| section.starts_with(name));
        let section = section.unwrap_or_else(|| panic!("no section of {name}"));
        let rows: Vec<&str> = section
            .lines()
            .filter(|line| line.starts_with("| "))
            .skip(1)
            .collect();
        let wanted: Vec<String> = lacks
            .iter()
            .map(|(check, reason)| format!("| {check} | {reason} |"))
            .collect();
        assert_eq!(rows, wanted, "{name}");
        let count = format!(" | {} | ", lacks.len());
        let counted = PAGE
            .lines()
            .any(|line| line.starts_with(&format!("| {name} ")) && line.contains(&count));
        assert!(counted, "{name} lacks {}", lacks.len());
    }
}
