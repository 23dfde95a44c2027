//! TLS settings: version 1.3 only, both sides authenticated, one root, one cipher suite.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    CertificateError, CipherSuite, ClientConfig, ClientConnection, Connection, Error,
    RootCertStore, ServerConfig, ServerConnection, version,
};

/// Application protocol of the links; a server of anything else is refused.
const ALPN: &[u8] = b"tacit/1";

/// One party's certificate, key and trusted root, ready for both ends of links.
pub struct Identity {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// The certificate, key or root cannot be used; says which and why.
#[derive(Debug)]
pub struct IdentityError(pub String);

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IdentityError {}

impl Identity {
    /// Reads the trusted root, the party's certificate chain and its private key, all PEM.
    pub fn from_pem(root: &[u8], chain: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        Self::with_provider(root, chain, key, Arc::new(provider()))
    }

    pub(crate) fn with_provider(
        root: &[u8],
        chain: &[u8],
        key: &[u8],
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, IdentityError> {
        let root = certificates(root, "authority's certificate")?;
        if root.len() != 1 {
            return Err(IdentityError(format!(
                "{} authority certificates instead of exactly one",
                root.len()
            )));
        }
        let chain = certificates(chain, "party's certificate")?;
        // The error of a malformed key says nothing about its contents.
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| IdentityError("the private key is not readable PEM".into()))?;
        let mut roots = RootCertStore::empty();
        for certificate in root {
            roots
                .add(certificate)
                .map_err(|e| IdentityError(format!("the authority's certificate: {e}")))?;
        }
        let roots = Arc::new(roots);
        let misfit = |e: Error| IdentityError(format!("the party's certificate and key: {e}"));

        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&version::TLS13])
            .map_err(misfit)?
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(misfit)?;
        client.resumption = Resumption::disabled();
        client.enable_sni = false;
        client.alpn_protocols = vec![ALPN.to_vec()];

        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|e| IdentityError(format!("the authority's certificate: {e}")))?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(misfit)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(misfit)?;
        server.send_tls13_tickets = 0;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.alpn_protocols = vec![ALPN.to_vec()];

        Ok(Self { client: Arc::new(client), server: Arc::new(server) })
    }

    /// The dialling end; `name` must be in the other end's certificate.
    pub(crate) fn dial(&self, name: &str) -> Result<Connection, Error> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Error::General("not a DNS name".into()))?;
        let mut tls = ClientConnection::new(self.client.clone(), name)?;
        tls.set_buffer_limit(None);
        Ok(Connection::Client(tls))
    }

    /// The listening end; whoever the root vouches for may come.
    pub(crate) fn accept(&self) -> Result<Connection, Error> {
        let mut tls = ServerConnection::new(self.server.clone())?;
        tls.set_buffer_limit(None);
        Ok(Connection::Server(tls))
    }
}

/// AES-128-GCM alone: 128 bits like every stream of the protocols, and the fastest in hardware.
/// Key exchange: X25519 with ML-KEM-768 first, so that recorded traffic stays closed, then X25519.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(IdentityError(format!("the {what} is not readable PEM"))),
    }
}

/// Which kind of TLS failure an error is, as a stable word for the binding.
pub fn failure(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "not-yet-valid"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => "authority",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "name"
            }
            _ => "certificate",
        },
        Error::NoCertificatesPresented => "missing",
        Error::AlertReceived(alert) => {
            use rustls::AlertDescription as Alert;
            match *alert {
                Alert::UnknownCA
                | Alert::DecryptError
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::CertificateRequired
                | Alert::AccessDenied => "refused",
                _ => "alert",
            }
        }
        Error::DecryptError => "tampered",
        _ => "protocol",
    }
}
