//! What kind of content a file or key holds: by its name, else by its first bytes.
//!
//! The same answers as s5cmd gives on the same machine, since scripts depend on them: a short
//! table of its own, then the machine's (`globs2` of shared-mime-info, else a `mime.types`).
//! Text types carry `; charset=utf-8`.

mod sniff;

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

pub(crate) use sniff::{SNIFFED_BYTES, by_content};

/// What nothing is known about.
pub(crate) const UNKNOWN: &str = "application/octet-stream";

/// Extensions that every machine knows.
/// Source: documentation of Go's package mime, `TypeByExtension` (read 2026-11), and s5cmd v2.3.0
/// observed without any table on the machine.
const BUILT_IN: [(&str, &str); 16] = [
    (".avif", "image/avif"),
    (".css", "text/css"),
    (".gif", "image/gif"),
    (".htm", "text/html"),
    (".html", "text/html"),
    (".jpeg", "image/jpeg"),
    (".jpg", "image/jpeg"),
    (".js", "text/javascript"),
    (".json", "application/json"),
    (".mjs", "text/javascript"),
    (".pdf", "application/pdf"),
    (".png", "image/png"),
    (".svg", "image/svg+xml"),
    (".wasm", "application/wasm"),
    (".webp", "image/webp"),
    (".xml", "text/xml"),
];

/// Tables of shared-mime-info; the first that is there is read, and no other.
/// Source: documentation of Go's package mime (read 2026-11).
const GLOBS: [&str; 2] = ["/usr/local/share/mime/globs2", "/usr/share/mime/globs2"];

/// Tables of type and extensions, all read where no globs are; what a later one says holds.
/// Source: documentation of Go's package mime (read 2026-11).
const MIME_TYPES: [&str; 4] = [
    "/etc/mime.types",
    "/etc/apache2/mime.types",
    "/etc/apache/mime.types",
    "/etc/httpd/conf/mime.types",
];

/// The type that the extension of a path or key stands for. May read the machine's table once.
pub(crate) fn by_name(path: &Path) -> Option<String> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let name = path.to_string_lossy();
    let name = name.rsplit('/').next().unwrap_or_default();
    let extension = &name[name.rfind('.')?..];
    TABLE.get_or_init(Table::of_this_machine).find(extension)
}

/// Types by extension, with the dot.
#[derive(Debug, Default)]
struct Table(HashMap<String, String>);

impl Table {
    fn built_in() -> Table {
        let rows = BUILT_IN.map(|(extension, kind)| (extension.to_owned(), with_charset(kind)));
        Table(rows.into_iter().collect())
    }

    fn of_this_machine() -> Table {
        let mut table = Table::built_in();
        if let Some(text) = GLOBS
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
        {
            table.add_globs(&text);
            return table;
        }
        for text in MIME_TYPES
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
        {
            table.add_mime_types(&text);
        }
        table
    }

    /// As written, then in lower case.
    fn find(&self, extension: &str) -> Option<String> {
        let found = self.0.get(extension);
        found
            .or_else(|| self.0.get(&extension.to_lowercase()))
            .cloned()
    }

    /// Lines `weight:type:*.extension[:flags]`, heaviest first: the first to name an extension
    /// holds, and the built-in ones before all.
    fn add_globs(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(':');
            let (Some(_), Some(kind), Some(glob)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let Some(extension) = glob.strip_prefix('*').filter(|rest| rest.starts_with('.'))
            else {
                continue;
            };
            if extension.contains(['?', '*', '[']) {
                continue;
            }
            self.0
                .entry(extension.to_owned())
                .or_insert_with(|| with_charset(kind));
        }
    }

    /// Lines `type extension...`.
    fn add_mime_types(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(kind) = words.next() else { continue };
            for extension in words {
                self.0.insert(format!(".{extension}"), with_charset(kind));
            }
        }
    }
}

/// A text type gets its charset and lower case; others stay as the table has them.
/// Source: s5cmd v2.3.0, observed with every extension of Debian's tables.
fn with_charset(kind: &str) -> String {
    if kind.starts_with("text/") {
        format!("{}; charset=utf-8", kind.to_lowercase())
    } else {
        kind.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types_win_over_globs_and_lose_to_mime_types() {
        let mut table = Table::built_in();
        table.add_globs(
            "# comment\n50:text/markdown:*.md\n60:x/y:*.html\n50:a/b:*.md\n50:q/r:*.[ab]\n",
        );
        assert_eq!(
            table.find(".md").as_deref(),
            Some("text/markdown; charset=utf-8")
        );
        assert_eq!(
            table.find(".HTML").as_deref(),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(table.find(".a"), None);
        table.add_mime_types("application/x-page html htm # comment\n\n# x\naudio/mpeg mp3\n");
        assert_eq!(table.find(".htm").as_deref(), Some("application/x-page"));
        assert_eq!(table.find(".MP3").as_deref(), Some("audio/mpeg"));
    }

    #[test]
    fn the_extension_is_what_follows_the_last_dot_of_the_last_part() {
        assert_eq!(
            by_name(Path::new("a.b/c.png")).as_deref(),
            Some("image/png")
        );
        assert_eq!(by_name(Path::new("a.png/c")), None);
        assert_eq!(by_name(Path::new(".png")).as_deref(), Some("image/png"));
    }
}
