//! TLS: who is let in, what both ends agree on, and key updates.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls13CipherSuite};

use crate::link::{Broken, Link};
use crate::tls::{Identity, failure};

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(vec![]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self, name: &str) -> (String, String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        (self.0.pem(), certificate.pem(), key.serialize_pem())
    }

    pub fn identity(&self, name: &str) -> Identity {
        let (root, chain, key) = self.pem(name);
        Identity::from_pem(root.as_bytes(), chain.as_bytes(), key.as_bytes()).unwrap()
    }

    /// An identity whose traffic keys are used for very few records.
    pub fn short_keys(&self, name: &str, records: u64) -> Identity {
        let (root, chain, key) = self.pem(name);
        let default = aws_lc_rs::default_provider();
        let suite = default.cipher_suites.iter().find_map(|suite| suite.tls13());
        let suite = suite.unwrap();
        let short: &'static Tls13CipherSuite = Box::leak(Box::new(Tls13CipherSuite {
            common: CipherSuiteCommon {
                suite: suite.common.suite,
                hash_provider: suite.common.hash_provider,
                confidentiality_limit: records,
            },
            hkdf_provider: suite.hkdf_provider,
            aead_alg: suite.aead_alg,
            quic: None,
        }));
        let provider =
            CryptoProvider { cipher_suites: vec![SupportedCipherSuite::Tls13(short)], ..default };
        let (root, chain, key) = (root.as_bytes(), chain.as_bytes(), key.as_bytes());
        Identity::with_provider(root, chain, key, Arc::new(provider)).unwrap()
    }
}

pub(super) fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dialled = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (dialled, listener.accept().unwrap().0)
}

/// Lets both ends go on until both are done or one is broken.
fn shake(dialling: &mut Link, listening: &mut Link) -> Result<(), (&'static str, Broken)> {
    loop {
        let one = dialling.handshake().map_err(|e| ("dialling", e))?;
        let two = listening.handshake().map_err(|e| ("listening", e))?;
        if one && two {
            return Ok(());
        }
    }
}

pub(super) fn pair(dialler: &Identity, listener: &Identity, name: &str) -> (Link, Link) {
    let (one, two) = sockets();
    let mut dialling = Link::dial(one, dialler, name).unwrap();
    let mut listening = Link::accept(two, listener).unwrap();
    shake(&mut dialling, &mut listening).unwrap();
    (dialling, listening)
}

fn refusal(dialler: &Identity, listener: &Identity, name: &str) -> (&'static str, &'static str) {
    let (one, two) = sockets();
    let mut dialling = Link::dial(one, dialler, name).unwrap();
    let mut listening = Link::accept(two, listener).unwrap();
    match shake(&mut dialling, &mut listening).unwrap_err() {
        (who, Broken::Tls(error)) => (who, failure(&error)),
        (_, other) => panic!("{other:?}"),
    }
}

#[test]
fn both_ends_prove_who_they_are_and_share_exported_keys() {
    let authority = Authority::new();
    let (alice, bob) = (authority.identity("bank_a"), authority.identity("bank-b"));
    let (dialling, listening) = pair(&bob, &alice, "bank_a");
    assert!(dialling.peer_certificate().is_some() && listening.peer_certificate().is_some());
    for part in ["TLSv1_3", "TLS13_AES_128_GCM_SHA256", "X25519MLKEM768"] {
        assert!(dialling.negotiated().contains(part) && listening.negotiated().contains(part));
    }
    let export = |link: &Link, context: &[u8]| {
        let mut key = [0u8; 16];
        link.export(b"EXPORTER-test", context, &mut key).unwrap();
        key
    };
    assert_eq!(export(&dialling, b"one"), export(&listening, b"one"));
    assert_ne!(export(&dialling, b"one"), export(&dialling, b"two"));
}

#[test]
fn another_name_is_refused() {
    let authority = Authority::new();
    let (alice, bob) = (authority.identity("alice"), authority.identity("bob"));
    assert_eq!(refusal(&bob, &alice, "carol"), ("dialling", "name"));
}

#[test]
fn another_authority_is_refused_by_both_ends() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let refused = refusal(&theirs.identity("bob"), &ours.identity("alice"), "alice");
    assert_eq!(refused, ("dialling", "authority"));
    // A dialler that trusts our authority but has a certificate of its own.
    let (root, _, _) = ours.pem("bob");
    let (_, chain, key) = theirs.pem("bob");
    let forged = Identity::from_pem(root.as_bytes(), chain.as_bytes(), key.as_bytes()).unwrap();
    let refused = refusal(&forged, &ours.identity("alice"), "alice");
    assert_eq!(refused, ("listening", "authority"));
}

#[test]
fn unusable_credentials_are_refused_without_quoting_them() {
    let authority = Authority::new();
    let (root, chain, key) = authority.pem("alice");
    let (_, _, other) = authority.pem("alice");
    let attempt = |root: &str, chain: &str, key: &str| {
        Identity::from_pem(root.as_bytes(), chain.as_bytes(), key.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(attempt("", &chain, &key).contains("authority"));
    assert!(attempt(&format!("{root}{root}"), &chain, &key).contains("exactly one"));
    assert!(attempt(&root, "x", &key).contains("party's certificate"));
    assert!(attempt(&root, &chain, &other).contains("certificate and key"));
    let text = attempt(&root, &chain, "-----BEGIN PRIVATE KEY-----\nsecret");
    assert!(text.contains("private key") && !text.contains("secret"));
}

#[test]
fn an_end_during_the_handshake_is_seen() {
    let authority = Authority::new();
    let (one, two) = sockets();
    let mut dialling = Link::dial(one, &authority.identity("bob"), "alice").unwrap();
    assert!(!dialling.handshake().unwrap());
    drop(two);
    let broken = loop {
        match dialling.handshake() {
            Ok(_) => {}
            Err(broken) => break broken,
        }
    };
    assert!(matches!(broken, Broken::Ended | Broken::Io(_)));
}
