//! Tests over real sockets on the loopback, and of the decoder on arbitrary bytes.

mod closing;
mod decoder;
mod exchange;
mod handshake;
mod patience;
