//! What this host refused, in words: the error number alone names neither the resource nor the remedy.

use std::io;

use model::errno::in_words;

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

    use super::of;

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
