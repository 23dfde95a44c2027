//! Binding of `tacit-links`: identities, links, and the exchange over NumPy buffers.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping};
use tacit_links::message::{Awaited, Outgoing};
use tacit_links::{Broken, Exchange, LinkError, failure, frame};

pyo3::create_exception!(
    tacit._native,
    LinkFailure,
    PyException,
    "A link cannot go on. Arguments: word, peer or None, expected, received, detail (bytes)."
);

/// Adds what this file binds to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LinkFailure", module.py().get_type::<LinkFailure>())?;
    module.add("LINK_VERSION", frame::VERSION)?;
    module.add("LINK_HEADER_BYTES", frame::HEADER_BYTES)?;
    module.add("LINK_CONTROL_BYTES", frame::CONTROL_BYTES)?;
    module.add("LINK_ABORT_BYTES", frame::ABORT_BYTES)?;
    module.add_class::<Identity>()?;
    module.add_class::<Link>()?;
    module.add_class::<Links>()?;
    module.add_class::<FrameDecoder>()
}

fn raise(error: &LinkError) -> PyErr {
    let (expected, received) = match error {
        LinkError::Frame { error, .. } => (error.expected, error.received),
        _ => (0, 0),
    };
    let detail = match error {
        LinkError::Aborted { cause, .. } => cause.clone(),
        LinkError::Tls { error, .. } => error.to_string().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    failed(error.name(), error.peer(), expected, received, &detail)
}

fn raise_broken(broken: &Broken) -> PyErr {
    let (name, detail) = match broken {
        Broken::Ended => ("ended", String::new()),
        Broken::Io(kind) => ("io", kind.to_string()),
        Broken::Tls(error) => (failure(error), error.to_string()),
    };
    failed(name, None, 0, 0, detail.as_bytes())
}

fn failed(
    name: &'static str,
    peer: Option<usize>,
    expected: u64,
    received: u64,
    detail: &[u8],
) -> PyErr {
    LinkFailure::new_err((name, peer, expected, received, detail.to_vec()))
}

/// A round that breaks the contract of `Round`: a bug on this side, found before anything is sent.
fn malformed(text: &str) -> PyErr {
    failed("round", None, 0, 0, text.as_bytes())
}

fn value_error(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A party's certificate chain, private key and trusted root.
#[pyclass(frozen, module = "tacit._native")]
struct Identity(tacit_links::Identity);

#[pymethods]
impl Identity {
    #[new]
    fn new(root: &[u8], chain: &[u8], key: &[u8]) -> PyResult<Self> {
        let identity = tacit_links::Identity::from_pem(root, chain, key);
        identity.map(Self).map_err(value_error)
    }
}

/// One TLS connection during its handshake; afterwards it goes into `Links`.
#[pyclass(module = "tacit._native")]
struct Link(Option<tacit_links::Link>);

impl Link {
    fn open(&self) -> PyResult<&tacit_links::Link> {
        self.0.as_ref().ok_or_else(gone)
    }
}

fn gone() -> PyErr {
    PyValueError::new_err("the link has been closed or handed over")
}

fn stream(descriptor: i32) -> PyResult<TcpStream> {
    if descriptor < 0 {
        return Err(PyValueError::new_err("a negative file descriptor"));
    }
    // SAFETY: the caller hands over a descriptor that `socket.detach()` gave it, so that it is
    // open and nothing else owns it. That is this function's contract in `_native.pyi`.
    Ok(TcpStream::from(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

#[pymethods]
impl Link {
    #[staticmethod]
    fn dial(descriptor: i32, identity: &Identity, name: &str) -> PyResult<Self> {
        let link = tacit_links::Link::dial(stream(descriptor)?, &identity.0, name);
        Ok(Self(Some(link.map_err(|e| raise_broken(&e))?)))
    }

    #[staticmethod]
    fn accept(descriptor: i32, identity: &Identity) -> PyResult<Self> {
        let link = tacit_links::Link::accept(stream(descriptor)?, &identity.0);
        Ok(Self(Some(link.map_err(|e| raise_broken(&e))?)))
    }

    fn handshake(&mut self) -> PyResult<bool> {
        let link = self.0.as_mut().ok_or_else(gone)?;
        link.handshake().map_err(|e| raise_broken(&e))
    }

    fn wants_write(&self) -> PyResult<bool> {
        Ok(self.open()?.wants_write())
    }

    fn fileno(&self) -> PyResult<i32> {
        Ok(self.open()?.as_fd().as_raw_fd())
    }

    fn peer_certificate<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let certificate = self.open()?.peer_certificate();
        Ok(certificate.map(|der| PyBytes::new(py, der)))
    }

    fn close(&mut self) {
        self.0 = None;
    }
}

/// A party's links to all others.
#[pyclass(frozen, module = "tacit._native")]
struct Links(tacit_links::Links);

#[pymethods]
impl Links {
    #[new]
    fn new(
        index: usize,
        links: BTreeMap<usize, Bound<'_, Link>>,
        heartbeat: f64,
    ) -> PyResult<Self> {
        let mut taken = Vec::with_capacity(links.len());
        for (peer, link) in links {
            taken.push((peer, link.borrow_mut().0.take().ok_or_else(gone)?));
        }
        let links = tacit_links::Links::new(index, taken, seconds(heartbeat)?);
        Ok(Self(links.map_err(value_error)?))
    }

    fn add(&self, py: Python<'_>, peer: usize, link: &mut Link) -> PyResult<()> {
        let link = link.0.take().ok_or_else(gone)?;
        py.detach(|| self.0.add(peer, link));
        Ok(())
    }

    fn set_tag(&self, py: Python<'_>, tag: u64) {
        py.detach(|| self.0.set_tag(tag));
    }

    fn export<'py>(
        &self,
        py: Python<'py>,
        peer: usize,
        label: &[u8],
        context: &[u8],
        length: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, length, |out| {
            let exported = self.0.export(peer, label, context, out);
            exported.map_err(|e| raise(&e))
        })
    }

    /// How this party stood a while before an exchange failed: its number, whom it awaited (one
    /// bit each), and whether that was steady.
    fn standing(&self, py: Python<'_>) -> Option<(u64, u64, bool)> {
        let standing = py.detach(|| self.0.standing())?;
        Some((standing.status.round, standing.status.awaited, standing.steady))
    }

    /// What peers said then that had not got on for long: number and whom they awaited.
    fn settled(&self, py: Python<'_>) -> BTreeMap<usize, (u64, u64)> {
        let settled = py.detach(|| self.0.settled());
        settled.into_iter().map(|(peer, said)| (peer, (said.round, said.awaited))).collect()
    }

    /// Moves a round's arrays; returns the payload and check bytes that left.
    #[allow(clippy::too_many_arguments)] // what a Round holds, and when to give up
    #[pyo3(signature = (send, check, receive, check_receive, round, deadline, patience=None))]
    fn exchange(
        &self,
        py: Python<'_>,
        send: &Bound<'_, PyAny>,
        check: &Bound<'_, PyAny>,
        receive: &Bound<'_, PyAny>,
        check_receive: &Bound<'_, PyAny>,
        round: u64,
        deadline: Option<f64>,
        patience: Option<f64>,
    ) -> PyResult<(u64, u64)> {
        let outgoing = Arrays::read(send, check, false)?;
        let incoming = Arrays::read(receive, check_receive, true)?;
        refuse_overlaps(&outgoing, &incoming)?;
        let sent = outgoing.bytes();
        let mut work = Exchange {
            sends: outgoing.outgoing(),
            awaits: incoming.awaited(),
            round,
            deadline: deadline.map(after).transpose()?,
            patience: patience.map(seconds).transpose()?,
        };
        self.run(py, &mut work)?;
        Ok(sent)
    }

    /// Sends control messages and waits for one from each party in `peers`.
    #[pyo3(signature = (messages, peers, limit, deadline, patience=None))]
    fn control<'py>(
        &self,
        py: Python<'py>,
        messages: BTreeMap<usize, Vec<u8>>,
        peers: Vec<usize>,
        limit: u64,
        deadline: Option<f64>,
        patience: Option<f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let sends = messages.iter();
        let mut work = Exchange {
            sends: sends.map(|(p, m)| (*p, Outgoing::control(m))).collect(),
            awaits: peers.into_iter().map(|p| (p, Awaited::control(limit))).collect(),
            round: 0,
            deadline: deadline.map(after).transpose()?,
            patience: patience.map(seconds).transpose()?,
        };
        self.run(py, &mut work)?;
        let received = PyDict::new(py);
        for (peer, awaited) in work.awaits {
            if let Awaited::Control { message: Some(bytes), .. } = awaited {
                received.set_item(peer, PyBytes::new(py, &bytes))?;
            }
        }
        Ok(received)
    }

    fn abort(&self, py: Python<'_>, cause: &[u8], patience: f64) -> PyResult<()> {
        let patience = seconds(patience)?;
        py.detach(|| self.0.abort(cause, patience));
        Ok(())
    }

    /// Ends at a signal such as Ctrl-C, with its exception; the links are closed all the same.
    fn close(&self, py: Python<'_>, patience: f64) -> PyResult<()> {
        let patience = seconds(patience)?;
        let mut signal = None;
        py.detach(|| self.0.close(patience, &mut || goes_on(&mut signal)));
        signal.map_or(Ok(()), Err)
    }
}

impl Links {
    /// Runs an exchange without the GIL; a signal such as Ctrl-C ends it with its exception.
    fn run(&self, py: Python<'_>, work: &mut Exchange<'_>) -> PyResult<()> {
        let mut signal = None;
        let result = py.detach(|| self.0.exchange(work, &mut || goes_on(&mut signal)));
        match (result, signal) {
            (_, Some(signal)) => Err(signal),
            (Err(error), None) => Err(raise(&error)),
            (Ok(()), None) => Ok(()),
        }
    }
}

/// Runs the handlers of signals that came; false with the exception if one raises it.
fn goes_on(signal: &mut Option<PyErr>) -> bool {
    *signal = Python::attach(|py| py.check_signals()).err();
    signal.is_none()
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(value_error)
}

fn after(value: f64) -> PyResult<Instant> {
    let later = Instant::now().checked_add(seconds(value.max(0.0))?);
    later.ok_or_else(|| PyValueError::new_err("a deadline too far away"))
}

/// The arrays of one direction of a round: for each peer its payload and its check arrays.
struct Arrays {
    peers: BTreeMap<usize, [Vec<PyUntypedBuffer>; 2]>,
}

impl Arrays {
    fn read(
        payload: &Bound<'_, PyAny>,
        check: &Bound<'_, PyAny>,
        writable: bool,
    ) -> PyResult<Self> {
        let mut peers: BTreeMap<usize, [Vec<PyUntypedBuffer>; 2]> = BTreeMap::new();
        for (which, mapping) in [payload, check].into_iter().enumerate() {
            let mapping = mapping.cast::<PyMapping>()?;
            if mapping.is_empty()? {
                continue;
            }
            for entry in mapping.items()? {
                let (peer, arrays): (usize, Bound<'_, PyAny>) = entry.extract()?;
                let buffers = &mut peers.entry(peer).or_default()[which];
                for array in arrays.try_iter()? {
                    buffers.push(buffer(&array?, writable)?);
                }
            }
        }
        Ok(Self { peers })
    }

    fn bytes(&self) -> (u64, u64) {
        let sum = |which: usize| {
            let buffers = self.peers.values().flat_map(|lists| &lists[which]);
            buffers.map(|b| b.len_bytes() as u64).sum()
        };
        (sum(0), sum(1))
    }

    fn outgoing(&self) -> Vec<(usize, Outgoing<'_>)> {
        let mut messages = Vec::with_capacity(self.peers.len());
        for (peer, [payload, check]) in &self.peers {
            let payload: Vec<_> = payload.iter().map(shared).collect();
            let check: Vec<_> = check.iter().map(shared).collect();
            messages.push((*peer, Outgoing::data(&payload, &check)));
        }
        messages
    }

    fn awaited(&self) -> Vec<(usize, Awaited<'_>)> {
        let mut messages = Vec::with_capacity(self.peers.len());
        for (peer, [payload, check]) in &self.peers {
            let payload = payload.iter().map(exclusive).collect();
            let check = check.iter().map(exclusive).collect();
            messages.push((*peer, Awaited::data(payload, check)));
        }
        messages
    }

    fn ranges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let buffers = self.peers.values().flatten().flatten();
        buffers
            .map(|b| (b.buf_ptr() as usize, b.buf_ptr() as usize + b.len_bytes()))
            .filter(|(start, end)| start < end)
    }
}

fn buffer(array: &Bound<'_, PyAny>, writable: bool) -> PyResult<PyUntypedBuffer> {
    // The binding library refuses buffers without a shape, as those of 0-dimensional arrays are.
    let buffer = match PyUntypedBuffer::get(array) {
        Ok(buffer) => buffer,
        Err(_) => PyUntypedBuffer::get(&array.call_method1("reshape", (-1,))?)?,
    };
    if !buffer.is_c_contiguous() {
        return Err(malformed("an array that is not C-contiguous"));
    }
    if writable && buffer.readonly() {
        return Err(malformed("a read-only array to receive into"));
    }
    Ok(buffer)
}

/// An array that is written to shares no byte with any other array of the round.
fn refuse_overlaps(outgoing: &Arrays, incoming: &Arrays) -> PyResult<()> {
    let mut written: Vec<_> = incoming.ranges().collect();
    written.sort_unstable();
    let twice = written.windows(2).any(|pair| pair[1].0 < pair[0].1);
    let shared = outgoing.ranges().any(|(start, end)| {
        let before = written.partition_point(|range| range.0 < end);
        before > 0 && written[before - 1].1 > start
    });
    if twice || shared {
        return Err(malformed("an array to receive into that overlaps another array"));
    }
    Ok(())
}

fn shared(buffer: &PyUntypedBuffer) -> &[u8] {
    if buffer.len_bytes() == 0 {
        return &[];
    }
    // SAFETY: the buffer is C-contiguous, so `len_bytes` bytes from `buf_ptr` are its elements;
    // the returned slice lives as long as the buffer, which keeps the array alive. Nobody writes
    // to it meanwhile: the step that owns the array is suspended (contract of `Round`), and
    // `refuse_overlaps` has shown that no array to receive into shares a byte with it.
    unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

#[allow(clippy::mut_from_ref)] // the buffer is a handle; exclusiveness is shown below
fn exclusive(buffer: &PyUntypedBuffer) -> &mut [u8] {
    if buffer.len_bytes() == 0 {
        return &mut [];
    }
    // SAFETY: as for `shared`; the buffer is writable, each is turned into a slice once an
    // exchange, and `refuse_overlaps` has shown that it shares no byte with any other.
    unsafe { std::slice::from_raw_parts_mut(buffer.buf_ptr().cast(), buffer.len_bytes()) }
}

/// A whole message, the words for other frames, and how many bytes were used.
type Decoded = (Option<Vec<u8>>, Vec<&'static str>, usize);

/// The frame decoder alone, for fuzzing from Python.
#[pyclass(module = "tacit._native")]
struct FrameDecoder(tacit_links::message::Decoder);

#[pymethods]
impl FrameDecoder {
    #[new]
    fn new(tag: u64) -> Self {
        let mut decoder = tacit_links::message::Decoder::default();
        decoder.tag = tag;
        Self(decoder)
    }

    /// Reads `data` in pieces of `piece` bytes, awaiting a message of these lengths; returns
    /// the message (or None), the words for other frames, and how many bytes were used.
    fn read(
        &mut self,
        data: &[u8],
        piece: usize,
        payload: usize,
        check: usize,
    ) -> PyResult<Decoded> {
        use tacit_links::message::Event;
        let mut target = vec![0; payload + check];
        let mut events = Vec::new();
        let mut used = 0;
        let (first, second) = target.split_at_mut(payload);
        let mut awaited = Awaited::data(vec![first], vec![second]);
        let fault = |error: frame::FrameError| {
            failed(error.fault.name(), None, error.expected, error.received, &[])
        };
        while used < data.len() && !awaited.is_done() {
            let room = match self.0.target(Some(&mut awaited)).map_err(fault)? {
                None => break,
                Some(room) => room,
            };
            let count = room.len().min(piece.max(1)).min(data.len() - used);
            room[..count].copy_from_slice(&data[used..used + count]);
            used += count;
            match self.0.advance(count, Some(&mut awaited)).map_err(fault)? {
                None => {}
                Some(Event::Heartbeat(_)) => events.push("heartbeat"),
                Some(Event::Abort(_)) => events.push("abort"),
                Some(Event::Close) => events.push("close"),
            }
        }
        let done = awaited.is_done();
        Ok((done.then_some(target), events, used))
    }
}
