//! What this host refused, in words: the error number alone names neither the resource nor the remedy.

use std::{hint, io};

use model::errno::in_words;

/// What a thread takes: 2 MiB of stack, and what its probes take at first.
const OF_THREAD: usize = 3 << 20;

/// Makes sure that there is memory for so many threads. An allocation that fails later ends the process.
///
/// # Errors
/// If there is not.
pub(crate) fn memory(threads: usize) -> io::Result<()> {
    let bytes = threads.saturating_mul(OF_THREAD);
    let mut block = Vec::<u8>::new();
    let result = block.try_reserve_exact(bytes);
    hint::black_box(&block);
    result.map_err(|_| {
        let text =
            format!("no {} MiB of memory for {threads} threads: raise `ulimit -v`", bytes >> 20);
        io::Error::new(io::ErrorKind::OutOfMemory, text)
    })
}

/// Names what could not be had, and what to do about it.
pub(crate) fn of(what: &'static str) -> impl Fn(io::Error) -> io::Error {
    move |error| {
        let (kind, number) = (error.kind(), error.raw_os_error());
        let remedy = match number {
            // pthread_create(3), for want of either.
            Some(libc::EAGAIN) => {
                ": raise `ulimit -u`, the cgroup's pids.max or the limit of memory (`ulimit -v`)"
            }
            Some(libc::EMFILE) => ": raise `ulimit -n`",
            Some(libc::ENFILE) => ": raise fs.file-max",
            _ => "",
        };
        io::Error::new(kind, format!("no {what} ({}){remedy}", in_words(error)))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{memory, of};

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        assert!(memory(1).is_ok());
        // No address space has so much.
        let error = memory(usize::MAX >> 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }

    #[test]
    fn the_resource_and_the_remedy_are_named() {
        let text = |number| of("thread")(io::Error::from_raw_os_error(number)).to_string();
        for (number, remedy) in [
            (libc::EAGAIN, "pids.max"),
            (libc::EMFILE, "`ulimit -n`"),
            (libc::ENFILE, "fs.file-max"),
            (libc::ENOMEM, "memory)"),
        ] {
            assert!(text(number).starts_with("no thread ("), "{}", text(number));
            assert!(text(number).contains(remedy), "{}", text(number));
        }
    }
}
