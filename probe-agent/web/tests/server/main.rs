//! The server on real sockets, with clients that mean well and others.

mod access;
mod pages;
mod probe;
mod support;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use probe_agent_web::{Access, Limits, Stopped};

use support::{ask, connect, read, start, start_at, start_with};

#[test]
fn a_page_is_answered_with_its_type_and_length() {
    let server = start();
    let answer = ask(&server, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for header in [
        "content-type: text/plain; charset=utf-8",
        "content-length: 6",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
    ] {
        assert!(answer.contains(&format!("\r\n{header}\r\n")), "{header} in {answer}");
    }
    assert!(answer.ends_with("\r\n\r\nhello\n"), "{answer}");
}

#[test]
fn head_has_the_fields_and_no_body() {
    let server = start();
    let answer = ask(&server, "HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 6\r\n"), "{answer}");
    // The chunks of an endless answer are not even made.
    let answer = ask(&server, "HEAD /endless HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn http_1_0_gets_an_answer_and_the_end_of_the_connection() {
    let server = start();
    let answer = ask(&server, "GET /hello HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("hello\n"), "{answer}");
    let answer = ask(&server, "GET /chunks HTTP/1.0\r\n\r\n");
    assert!(!answer.contains("chunked") && answer.ends_with("\r\n\r\nonetwothree"), "{answer}");
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    let server = start();
    for (request, status) in [
        ("GET /nothing HTTP/1.1", "404 Not Found"),
        ("GET /hello/ HTTP/1.1", "404 Not Found"),
        ("GET /../hello HTTP/1.1", "404 Not Found"),
        ("POST /hello HTTP/1.1", "405 Method Not Allowed"),
        ("BREW /hello HTTP/1.1", "405 Method Not Allowed"),
        ("DELETE / HTTP/1.1", "405 Method Not Allowed"),
        ("GET hello HTTP/1.1", "404 Not Found"),
        ("hello", "400 Bad Request"),
    ] {
        let answer = ask(&server, &format!("{request}\r\nHost: a\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
    }
    let answer = ask(&server, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("<a href=\"/hello\">/hello</a>"), "{answer}");
}

#[test]
fn a_request_with_a_body_is_refused_unread() {
    let server = start();
    for field in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
        let answer = ask(&server, &format!("POST /hello HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}

#[test]
fn a_head_of_10_megabytes_is_refused_while_it_is_sent() {
    let server = start();
    let mut stream = connect(&server);
    let line = format!("X-Filler: {}\r\n", "x".repeat(4000));
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n").unwrap();
    let mut sent = 0;
    while sent < 10 << 20 && stream.write_all(line.as_bytes()).is_ok() {
        sent += line.len();
    }
    assert!(sent < 10 << 20, "the server read it all");
    let mut answer = Vec::new();
    // The connection may be reset before the answer has been read.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    // One line without an end is as bad.
    let answer =
        ask(&server, &format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(17 << 10)));
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let many: String = (0..65).map(|n| format!("X-{n}: 1\r\n")).collect();
    let answer = ask(&server, &format!("GET /hello HTTP/1.1\r\n{many}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn requests_that_come_at_once_are_answered_in_order() {
    let server = start();
    let all = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /chunks HTTP/1.1\r\nHost: a\r\n\r\n\
               GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = ask(&server, all);
    let at = |text: &str| answer.find(text).unwrap_or_else(|| panic!("{text} in {answer}"));
    assert!(at("hello\n") < at("three") && at("three") < at("404 Not Found"), "{answer}");
}

#[test]
fn a_client_that_has_closed_its_end_gets_its_answer() {
    let server = start();
    let mut stream = connect(&server);
    stream.write_all(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.waits.begun();
    stream.shutdown(Shutdown::Write).unwrap();
    // Its end has been seen once this later connection is answered.
    let answer = ask(&server, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("hello\n"));
    server.waits.release();
    assert!(read(stream).ends_with("waited"));
}

#[test]
fn a_slow_head_is_cut_off() {
    let limits = Limits { head_time: Duration::from_millis(200), ..Limits::default() };
    let server = start_with(Access::default(), limits);
    let mut stream = connect(&server);
    let started = Instant::now();
    // A byte at a time does not extend the time for the whole.
    let mut closed = false;
    for byte in b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ".iter().chain([b'x'; 500].iter()) {
        stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let end = stream.read(&mut [0; 64]);
        if stream.write_all(&[*byte]).is_err() || matches!(end, Ok(0)) {
            closed = true;
            break;
        }
    }
    assert!(closed && started.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    let limits = Limits { write_time: Duration::from_millis(200), ..Limits::default() };
    let server = start_with(Access::default(), limits);
    let stream = connect(&server);
    (&stream).write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.endless.wait();
    // What the kernel had taken of it can still be read; then the connection ends.
    assert!(read(stream).len() < 1 << 30);
}

#[test]
fn more_than_the_answers_at_once_are_refused_for_now() {
    let server = start();
    let ask_to_wait = || {
        let stream = connect(&server);
        (&stream)
            .write_all(b"GET /waits HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .unwrap();
        stream
    };
    let waiting = ask_to_wait();
    server.waits.begun();
    let answer = read(ask_to_wait());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    server.waits.release();
    assert!(read(waiting).ends_with("waited"));
}

#[test]
fn an_answer_counts_until_it_has_been_read() {
    let server = start();
    let mut stream = connect(&server);
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    let (mut second, mut start) = (connect(&server), [0; 13]);
    second.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    second.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 503 ");
    drop(stream);
    server.endless.wait();
}

#[test]
fn a_client_that_has_asked_does_not_give_way() {
    let limits = Limits { connections: 4, ..Limits::default() };
    let server = start_with(Access::default(), limits);
    let ask_for = |path: &str| {
        let stream = connect(&server);
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        (&stream).write_all(head.as_bytes()).unwrap();
        stream
    };
    // While the server stands still, more clients ask than it has places for.
    let blocked = ask_for("/blocks");
    server.blocks.begun();
    let clients: Vec<_> = (0..40).map(|_| ask_for("/hello")).collect();
    server.blocks.release();
    assert!(read(blocked).ends_with("blocked"));
    assert_eq!(clients.into_iter().map(read).filter(|a| a.ends_with("hello\n")).count(), 40);
}

#[test]
fn a_thousand_silent_connections_keep_nobody_out() {
    let limits = Limits { connections: 32, ..Limits::default() };
    let server = start_with(Access::default(), limits);
    let silent: Vec<TcpStream> = (0..1_000).map(|_| connect(&server)).collect();
    let answer = ask(&server, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("hello\n"), "{answer}");
    // All but the last few had to give way.
    let is_closed = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        matches!((&mut &*stream).read(&mut [0]), Ok(0))
    };
    assert!(silent.iter().filter(|stream| is_closed(stream)).count() >= 1_000 - 32);
}

#[test]
fn a_thousand_clients_are_all_answered() {
    let server = start();
    let clients: Vec<_> = (0..1_000)
        .map(|_| {
            let stream = connect(&server);
            (&stream)
                .write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .unwrap();
            stream
        })
        .collect();
    let answered = clients.into_iter().map(read).filter(|answer| answer.ends_with("hello\n"));
    assert_eq!(answered.count(), 1_000);
}

#[test]
fn stopping_finishes_an_answer_and_accepts_no_further_connection() {
    let server = start();
    let (address, waits) = (server.address(), server.waits.clone());
    let waiting = connect(&server);
    (&waiting).write_all(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    waits.begun();
    let idle = connect(&server);
    let stopping = std::thread::spawn(move || server.stop(Duration::from_secs(20)));
    // That the idle connection is closed shows that stopping has begun.
    assert_eq!(read(idle), "");
    waits.release();
    assert!(read(waiting).ends_with("waited"));
    assert_eq!(stopping.join().unwrap(), Stopped { cut: 0 });
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn stopping_waits_no_longer_than_it_may() {
    let server = start();
    let waiting = connect(&server);
    (&waiting).write_all(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    server.waits.begun();
    assert_eq!(server.stop(Duration::ZERO), Stopped { cut: 1 });
}

#[test]
fn the_port_is_free_again_after_the_stop() {
    let server = start();
    let address = server.address();
    let answer = ask(&server, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("hello\n"));
    let _ = server.stop(Duration::from_secs(1));
    assert_eq!(start_at(address, Access::default(), Limits::default()).address(), address);
}
