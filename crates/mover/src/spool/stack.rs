//! Blocks of records on disk, the last one written read first.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};

use super::{read_field, write_field};

/// Blocks on disk. Each is read once.
#[derive(Debug)]
pub(crate) struct Stack {
    file: File,
    /// Where each block begins.
    starts: Vec<u64>,
    /// Where the last one ends.
    end: u64,
}

impl Stack {
    /// A stack without blocks.
    pub(crate) fn new() -> io::Result<Stack> {
        Ok(Stack {
            file: tempfile::tempfile()?,
            starts: Vec::new(),
            end: 0,
        })
    }

    /// Writes a block of records.
    pub(crate) fn push(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        let mut writer = BufWriter::new(&mut self.file);
        for record in records {
            write_field(&mut writer, record)?;
        }
        writer.flush()?;
        drop(writer);
        self.starts.push(self.end);
        self.end = self.file.stream_position()?;
        Ok(())
    }

    /// Takes the block written last; `None` once all were taken.
    pub(crate) fn pop(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        let Some(start) = self.starts.pop() else {
            return Ok(None);
        };
        self.file.seek(SeekFrom::Start(start))?;
        let mut reader = BufReader::new(&mut self.file).take(self.end - start);
        let mut records = Vec::new();
        while let Some(record) = read_field(&mut reader)? {
            records.push(record);
        }
        self.end = start;
        Ok(Some(records))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn blocks_come_back_last_first(
            steps in proptest::collection::vec(
                proptest::option::of(proptest::collection::vec(any::<Vec<u8>>(), 0..5)), 0..40),
        ) {
            let mut stack = Stack::new().unwrap();
            let mut plain: Vec<Vec<Vec<u8>>> = Vec::new();
            for step in steps {
                match step {
                    Some(block) => {
                        stack.push(&block).unwrap();
                        plain.push(block);
                    }
                    None => prop_assert_eq!(stack.pop().unwrap(), plain.pop()),
                }
            }
        }
    }
}
