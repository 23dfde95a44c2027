//! One TLS connection to one peer, never blocking.

use std::ffi::c_int;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::ioctl::{Getter, Opcode, ioctl};
use rustls::{Connection, Error};

use crate::tls::Identity;

/// Ciphertext read from the socket at once.
const STAGING_BYTES: usize = 256 << 10;

/// Why a link cannot go on.
#[derive(Debug)]
pub enum Broken {
    /// The connection ended without a goodbye.
    Ended,
    /// The operating system reports an error, such as a reset.
    Io(ErrorKind),
    /// TLS refuses to go on.
    Tls(Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Tls(error)
    }
}

/// A TLS connection over a non-blocking TCP socket.
pub struct Link {
    stream: TcpStream,
    tls: Connection,
    staged: Box<[u8]>,
    start: usize,
    end: usize,
    /// The peer has closed its direction.
    ended: bool,
    /// Why nothing can be written any more.
    unwritable: Option<ErrorKind>,
    /// About how many bytes wait for the socket.
    queued: usize,
    /// Bytes that the socket took.
    written: u64,
}

impl Link {
    /// The dialling end of a connected socket; the peer must be called `name`.
    pub fn dial(stream: TcpStream, identity: &Identity, name: &str) -> Result<Self, Broken> {
        Self::new(stream, identity.dial(name)?)
    }

    /// The listening end of an accepted socket.
    pub fn accept(stream: TcpStream, identity: &Identity) -> Result<Self, Broken> {
        Self::new(stream, identity.accept()?)
    }

    fn new(stream: TcpStream, tls: Connection) -> Result<Self, Broken> {
        let set = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
        set.map_err(|e| Broken::Io(e.kind()))?;
        spare_pacing(&stream);
        Ok(Self {
            stream,
            tls,
            staged: vec![0; STAGING_BYTES].into(),
            start: 0,
            end: 0,
            ended: false,
            unwritable: None,
            queued: 0,
            written: 0,
        })
    }

    /// Goes on with the TLS handshake as far as it can without waiting; true when it is done.
    pub fn handshake(&mut self) -> Result<bool, Broken> {
        loop {
            let flushed = self.flush()?;
            if !self.tls.is_handshaking() {
                return Ok(flushed);
            }
            if !flushed {
                return Ok(false);
            }
            if !self.feed()? && !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Whether the link waits for the socket to take bytes.
    pub fn wants_write(&self) -> bool {
        self.unwritable.is_none() && self.tls.wants_write()
    }

    /// The peer's certificate, DER, after the handshake.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        let chain = self.tls.peer_certificates()?;
        chain.first().map(AsRef::as_ref)
    }

    /// Key material that only both ends of this connection know (RFC 8446 section 7.5).
    pub fn export(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        self.tls.export_keying_material(out, label, Some(context)).map(|_| ())
    }

    /// What the handshake negotiated: version, cipher suite, key exchange.
    #[cfg(test)]
    pub fn negotiated(&self) -> String {
        let suite = self.tls.negotiated_cipher_suite().map(|suite| suite.suite());
        let group = self.tls.negotiated_key_exchange_group().map(|group| group.name());
        format!("{:?} {suite:?} {group:?}", self.tls.protocol_version())
    }

    /// Encrypts bytes into the queue. Nothing is sent before [`Link::flush`].
    pub fn encrypt(&mut self, slices: &[IoSlice<'_>]) {
        if self.unwritable.is_none() {
            // Without a buffer limit the writer takes everything and never fails.
            let _ = self.tls.writer().write_vectored(slices);
            self.queued += slices.iter().map(|s| s.len()).sum::<usize>();
        }
    }

    /// Sends what is queued; true when nothing is left.
    ///
    /// A link on which nothing can be sent any more stays readable: a cause may still come.
    pub fn flush(&mut self) -> Result<bool, Broken> {
        while self.wants_write() {
            match self.tls.write_tls(&mut &self.stream) {
                Ok(count) => {
                    self.queued = self.queued.saturating_sub(count);
                    self.written += count as u64;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.queued = self.queued.max(1);
                    return Ok(false);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => self.unwritable = Some(e.kind()),
            }
        }
        self.queued = 0;
        Ok(true)
    }

    /// About how many bytes wait for the socket.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Bytes that the peer's system has confirmed; where ours does not tell, that it took itself.
    pub fn confirmed(&self) -> u64 {
        self.written.saturating_sub(unconfirmed(&self.stream))
    }

    /// Why nothing can be sent any more, if so.
    pub fn unwritable(&self) -> Option<ErrorKind> {
        self.unwritable
    }

    /// Reads plaintext that is at hand, without touching the socket.
    ///
    /// `Ok(None)`: more ciphertext is needed. `Ok(Some(0))`: the peer closed the TLS session.
    pub fn take(&mut self, target: &mut [u8]) -> Result<Option<usize>, Broken> {
        loop {
            match self.tls.reader().read(target) {
                Ok(count) => return Ok(Some(count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Err(Broken::Ended),
            }
            if !self.feed()? {
                return if self.ended { Err(Broken::Ended) } else { Ok(None) };
            }
        }
    }

    /// Reads ciphertext from the socket, as much as fits at once; false when there is none now.
    pub fn fill(&mut self) -> Result<bool, Broken> {
        if self.ended {
            return Err(Broken::Ended);
        }
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        loop {
            match (&self.stream).read(&mut self.staged[self.end..]) {
                Ok(0) if self.end == self.staged.len() => return Ok(false),
                Ok(0) => {
                    self.ended = true;
                    return Ok(true);
                }
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Broken::Io(e.kind())),
            }
        }
    }

    /// Gives staged ciphertext to TLS; false when there is none.
    fn feed(&mut self) -> Result<bool, Broken> {
        if self.start == self.end {
            return Ok(false);
        }
        let mut rest = &self.staged[self.start..self.end];
        let read = self.tls.read_tls(&mut rest);
        self.start = self.end - rest.len();
        read.map_err(|e| Broken::Io(e.kind()))?;
        if let Err(error) = self.tls.process_new_packets() {
            // Tells the peer why, as far as the socket takes it.
            let _ = self.flush();
            return Err(Broken::Tls(error));
        }
        Ok(true)
    }

    /// Queues the end of the TLS session.
    pub fn finish(&mut self) {
        if self.unwritable.is_none() {
            self.tls.send_close_notify();
        }
    }

    /// Ends this direction of the connection.
    pub fn shut(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Throws away what arrives; true when the peer has closed its direction too.
    pub fn drain(&mut self) -> bool {
        loop {
            match (&self.stream).read(&mut self.staged) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

/// Within one machine there is no congestion: a pacing congestion control, such as the BBR that
/// many systems use by default, only slows the loopback down (measured: by two thirds).
fn spare_pacing(stream: &TcpStream) {
    if stream.peer_addr().is_ok_and(|address| address.ip().is_loopback()) {
        // Where the system does not allow it, things are as they were.
        let _ = rustix::net::sockopt::set_tcp_congestion(stream, "reno");
    }
}

/// Bytes that the socket took and the other end has not confirmed.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn unconfirmed(stream: &TcpStream) -> u64 {
    const SIOCOUTQ: Opcode = 0x5411;
    // SAFETY: `stream` is a TCP socket; there, SIOCOUTQ writes one `int` (tcp(7)), as `Getter` is
    // told.
    let count = unsafe { ioctl(stream, Getter::<SIOCOUTQ, c_int>::new()) };
    count.map_or(0, |count| u64::try_from(count).unwrap_or(0))
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn unconfirmed(_: &TcpStream) -> u64 {
    0
}
