//! What this host refused, in words: the error number alone names neither the resource nor the remedy.

use std::io;

use model::errno::in_words;

/// A thread could not be started. `what` is what it is for.
pub(crate) fn of_threads(what: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| {
        let kind = error.kind();
        let text = format!(
            "no thread for {what} ({}): raise `ulimit -u`, the cgroup's pids.max or the memory limit",
            in_words(error)
        );
        io::Error::new(kind, text)
    }
}

/// Something that takes a descriptor could not be made.
pub(crate) fn of_descriptors(what: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| {
        let (kind, number) = (error.kind(), error.raw_os_error());
        let remedy = match number {
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

    use super::{of_descriptors, of_threads};

    #[test]
    fn the_resource_and_the_remedy_are_named() {
        let error = |number| io::Error::from_raw_os_error(number);
        let thread = of_threads("a worker")(error(libc::EAGAIN)).to_string();
        assert!(thread.starts_with("no thread for a worker (") && thread.contains("ulimit -u"));
        let epoll = |number| of_descriptors("epoll instance")(error(number)).to_string();
        assert!(epoll(libc::EMFILE).ends_with("raise `ulimit -n`"), "{}", epoll(libc::EMFILE));
        assert!(epoll(libc::ENFILE).contains("fs.file-max"));
        assert!(epoll(libc::ENOMEM).ends_with(')'), "{}", epoll(libc::ENOMEM));
    }
}
