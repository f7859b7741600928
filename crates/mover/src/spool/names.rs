//! A queue of names on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom};

use super::{read_field, write_field};

/// Names in the order in which they came.
#[derive(Debug)]
pub(crate) struct Names {
    file: BufWriter<File>,
    count: u64,
}

/// Reads them back, once.
#[derive(Debug)]
pub(crate) struct NamesReader {
    file: BufReader<File>,
    left: u64,
}

impl Names {
    /// A queue without names.
    pub(crate) fn new() -> io::Result<Names> {
        Ok(Names {
            file: BufWriter::new(tempfile::tempfile()?),
            count: 0,
        })
    }

    /// Adds one.
    pub(crate) fn push(&mut self, name: &str) -> io::Result<()> {
        write_field(&mut self.file, name.as_bytes())?;
        self.count += 1;
        Ok(())
    }

    /// Turns to reading.
    pub(crate) fn read(self) -> io::Result<NamesReader> {
        let mut file = self.file.into_inner()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(NamesReader {
            file: BufReader::new(file),
            left: self.count,
        })
    }
}

impl Iterator for NamesReader {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        self.left = self.left.checked_sub(1)?;
        let name = read_field(&mut self.file).and_then(|field| {
            let field = field.ok_or(io::ErrorKind::UnexpectedEof)?;
            String::from_utf8(field).map_err(|_| io::ErrorKind::InvalidData.into())
        });
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_went() {
        let mut names = Names::new().unwrap();
        let all = ["a", "", "ü\n/x", "z"];
        for name in all {
            names.push(name).unwrap();
        }
        let back: Vec<String> = names.read().unwrap().map(Result::unwrap).collect();
        assert_eq!(back, all);
    }
}
