//! TLS links between the parties of a computation.
//!
//! One [`Links`] holds a party's links to all others. An [`Links::exchange`] runs in the calling
//! thread, moves all messages of a round in both directions at once, and reads payloads straight
//! into the receiver's arrays. Read `frame.rs` (what travels), `message.rs` (encoder and decoder,
//! without input or output), `link.rs` (one TLS connection), `exchange.rs` (the loop over all of
//! them), `patience.rs` (whom to name when a round takes too long), `closing.rs` (the end),
//! `links.rs` (who owns them, and the thread that keeps them alive).

mod closing;
mod error;
mod exchange;
pub mod frame;
mod link;
mod links;
pub mod message;
mod patience;
mod peer;
mod tls;

pub use error::{LinkError, Loss};
pub use exchange::Exchange;
pub use link::{Broken, Link};
pub use links::Links;
pub use patience::Standing;
pub use tls::{Identity, IdentityError, failure};

#[cfg(test)]
mod tests;
