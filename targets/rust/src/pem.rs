//! The PEM files of the target contract.

use std::error::Error;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::CertificateDer;
use rustls::RootCertStore;

/// The certificates of a chain, in their order.
pub fn chain(path: &str) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error>> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(certificates.collect::<Result<_, _>>()?)
}

pub fn trust_anchors(path: &str) -> Result<Arc<RootCertStore>, Box<dyn Error>> {
    let mut anchors = RootCertStore::empty();
    for certificate in chain(path)? {
        anchors.add(certificate)?;
    }
    Ok(Arc::new(anchors))
}
