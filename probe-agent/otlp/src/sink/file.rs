//! A file of OTLP JSON lines, one request per line, in the format of the collector's file exporter (OTLP specification, "JSON Protobuf Encoding"; "OpenTelemetry Protocol File
//! Exporter").

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::Answer;
use model::errno::in_words;

/// The file, open for the whole run.
pub(crate) struct JsonLines {
    file: File,
    path: PathBuf,
    /// The length of the file up to the end of its last complete line.
    whole: u64,
}

impl JsonLines {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// It cannot be opened for writing.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, path: path.to_owned(), whole: 0 })
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes a batch as one line, all or nothing: an incomplete line is removed again, so the file stays
    /// readable.
    pub(crate) fn write(&mut self, request: &ExportTraceServiceRequest) -> Answer {
        match self.try_write(request) {
            Ok(()) => Answer::Accepted { rejected: 0, message: String::new() },
            Err(error) => {
                self.truncate();
                Answer::Failed { why: format!("{}; is the disk full?", in_words(error)) }
            }
        }
    }

    fn try_write(&mut self, request: &ExportTraceServiceRequest) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.whole += line.len() as u64;
        Ok(())
    }

    /// Cuts the file after its last complete line. A pipe or device has no length; the failure is then
    /// counted and reported all the same.
    fn truncate(&mut self) {
        if self.file.set_len(self.whole).is_ok() {
            let _ = self.file.seek(SeekFrom::Start(self.whole));
        }
    }
}
