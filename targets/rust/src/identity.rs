//! The client's certificate with its key: what it presents in handshakes, and signs its proofs with.

use std::error::Error;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{
    EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    RSA_PSS_SHA256,
};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use serde_json::{json, Value};

use crate::connection::sha256;
use crate::jws::encode;
use crate::pem;
use crate::proof;
use crate::public_key::PublicKey;

/// Certificate, key, thumbprint and algorithm: read together and replaced together, so that they never come from
/// different times. A connection keeps the one that it was opened with (draft -06 §2.3.3, Appendix C.2).
pub struct Identity {
    pub certified: Arc<CertifiedKey>,
    pub thumbprint: String,
    key: SigningKey,
}

/// rustls has the same key, but signs with it as TLS does, where ECDSA signatures are ASN.1. JWS has another form.
enum SigningKey {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Identity {
    pub fn read(chain: &str, key: &str) -> Result<Self, Box<dyn Error>> {
        let chain = pem::chain(chain)?;
        let pkcs8 = PrivatePkcs8KeyDer::from_pem_file(key)?;
        let end_entity = chain.first().ok_or("the client certificate is missing")?;
        let thumbprint = encode(sha256(end_entity));
        let spki = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let public_key = PublicKey::from_spki(&spki).ok_or("ring has no keys of the certificate's type")?;
        let signing_key = SigningKey::read(&public_key, pkcs8.secret_pkcs8_der())?;
        let certified = CertifiedKey::new(chain, any_supported_type(&pkcs8.into())?);
        certified.keys_match()?;
        Ok(Self { certified: Arc::new(certified), thumbprint, key: signing_key })
    }

    /// A proof with these claims (draft -06 §2.3).
    pub fn prove(&self, claims: &Value) -> Result<String, ring::error::Unspecified> {
        let header = json!({ "typ": proof::TYPE, "alg": self.key.alg(), "x5t#S256": self.thumbprint });
        let signing_input = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.key.sign(signing_input.as_bytes())?;
        Ok(format!("{signing_input}.{}", encode(signature)))
    }
}

impl SigningKey {
    fn read(public_key: &PublicKey, pkcs8: &[u8]) -> Result<Self, Box<dyn Error>> {
        let random = SystemRandom::new();
        Ok(match public_key {
            PublicKey::P256(_) => {
                Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random)?)
            }
            PublicKey::P384(_) => {
                Self::P384(EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8, &random)?)
            }
            // "Maybe unchecked": most files have the private key alone (RFC 8410 §7), so there is nothing to check.
            PublicKey::Ed25519(_) => Self::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)?),
            PublicKey::Rsa(_) => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8)?),
        })
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            // The older of two names for it (RFC 8037, RFC 9864), and the one that more servers know.
            Self::Ed25519(_) => "EdDSA",
            Self::Rsa(_) => "PS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ring::error::Unspecified> {
        let random = SystemRandom::new();
        Ok(match self {
            Self::P256(key) | Self::P384(key) => key.sign(&random, message)?.as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PSS_SHA256, &random, message, &mut signature)?;
                signature
            }
        })
    }
}
