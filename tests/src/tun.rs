//! A TUN device: what its namespace sends through it can be read, and what is written arrives there.

use std::{
    ffi::c_char,
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
};

use lab::Namespace;

/// As large as any packet.
const LARGEST: usize = 65_536;
/// IP packets without a header of the device's own.
const FLAGS: libc::c_int = libc::IFF_TUN | libc::IFF_NO_PI;

/// A TUN device in a namespace. It disappears when this value is dropped.
#[derive(Debug)]
pub struct Tun(File);

impl Tun {
    /// Makes the device, without an address and not yet up.
    ///
    /// # Panics
    /// Without privilege, or if the name is in use.
    #[must_use]
    pub fn new(namespace: &Namespace, name: &str) -> Self {
        namespace.run(|| Self::here(name)).unwrap().unwrap()
    }

    /// Makes it in the namespace of the calling thread.
    fn here(name: &str) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open("/dev/net/tun")?;
        // SAFETY: ifreq consists of integers, a pointer and unions of these, for all of which zero is a
        // valid value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        assert!(name.len() < request.ifr_name.len(), "{name} is too long for an interface");
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as c_char;
        }
        request.ifr_ifru.ifru_flags = FLAGS.try_into().unwrap_or_default();
        // SAFETY: the descriptor is open, and TUNSETIFF reads and writes one ifreq, which outlives the call.
        let status = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        if status < 0 { Err(io::Error::last_os_error()) } else { Ok(Self(file)) }
    }

    /// The next packet; waits for it.
    ///
    /// # Errors
    /// The device is down or gone.
    pub fn receive(&self) -> io::Result<Vec<u8>> {
        let mut packet = vec![0; LARGEST];
        let length = (&self.0).read(&mut packet)?;
        packet.truncate(length);
        Ok(packet)
    }

    /// Has a packet arrive.
    ///
    /// # Errors
    /// The device is down, or the packet is no IP packet.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        (&self.0).write_all(packet)
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
