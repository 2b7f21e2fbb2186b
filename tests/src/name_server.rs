//! A small name server for tests: it answers A and AAAA questions over UDP, and changes its answers at once.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What the server answers for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These addresses, each with this time to live in seconds. None: the name exists without an address.
    Addresses(Vec<IpAddr>, u32),
    /// There is no such name, as for all names that were not set.
    NoName,
    /// `SERVFAIL`.
    Failure,
    /// Nothing.
    Silence,
}

type Zone = Arc<Mutex<HashMap<String, Answer>>>;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct NameServer {
    zone: Zone,
    questions: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts it on port 53 of an address, in the network namespace of the calling thread.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub fn start(ip: IpAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((ip, 53))?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let (zone, questions, stop) = (Zone::default(), Arc::default(), Arc::default());
        let serve = Serve {
            socket,
            zone: Arc::clone(&zone),
            questions: Arc::clone(&questions),
            stop: Arc::clone(&stop),
        };
        let thread = Some(thread::spawn(move || serve.run()));
        Ok(Self { zone, questions, stop, thread })
    }

    /// Sets the answer for a name, in lower case and without a dot at the end.
    ///
    /// # Panics
    /// The server has panicked.
    pub fn set(&self, name: &str, answer: Answer) {
        self.zone.lock().unwrap().insert(name.to_owned(), answer);
    }

    /// How many questions have come.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.questions.load(Ordering::Relaxed)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Serve {
    socket: UdpSocket,
    zone: Zone,
    questions: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Serve {
    fn run(self) {
        let mut question = [0; 1500];
        while !self.stop.load(Ordering::Relaxed) {
            // The time-out of the socket ends the wait, to look at `stop`.
            let Ok((length, from)) = self.socket.recv_from(&mut question) else { continue };
            self.questions.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = self.answer(&question[..length]) {
                let _ = self.socket.send_to(&answer, from);
            }
        }
    }

    /// The message with the answer to a question (RFC 1035, section 4.1).
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let mut labels = Vec::new();
        let mut at = 12;
        while let length @ 1.. = usize::from(*question.get(at)?) {
            labels
                .push(String::from_utf8_lossy(question.get(at + 1..=at + length)?).to_lowercase());
            at += 1 + length;
        }
        let kind = u16::from_be_bytes([*question.get(at + 1)?, *question.get(at + 2)?]);
        let question_end = at + 5;
        let zone = self.zone.lock().ok()?;
        let answer = zone.get(&labels.join(".")).cloned().unwrap_or(Answer::NoName);
        let (code, addresses, ttl) = match answer {
            Answer::Addresses(addresses, ttl) => (0, addresses, ttl),
            Answer::NoName => (3, Vec::new(), 0),
            Answer::Failure => (2, Vec::new(), 0),
            Answer::Silence => return None,
        };
        let records: Vec<Vec<u8>> = addresses
            .into_iter()
            .filter_map(|ip| match (ip, kind) {
                (IpAddr::V4(v4), 1) => Some(v4.octets().to_vec()),
                (IpAddr::V6(v6), 28) => Some(v6.octets().to_vec()),
                _ => None,
            })
            .collect();
        let mut message = question.get(..2)?.to_vec();
        // An answer, with recursion desired and available; one question.
        message.extend([0x81, 0x80 | code, 0, 1]);
        message.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
        message.extend([0; 4]);
        message.extend(question.get(12..question_end)?);
        for data in records {
            // The name is that of the question, at byte 12. The class is IN.
            message.extend([0xc0, 12]);
            message.extend(kind.to_be_bytes());
            message.extend([0, 1]);
            message.extend(ttl.to_be_bytes());
            message.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            message.extend(data);
        }
        Some(message)
    }
}
