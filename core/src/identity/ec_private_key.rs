//! The `ECPrivateKey` structure (SEC 1, RFC 5915): read, and completed with the public key that some
//! tools, Java's among them, leave out.

use pkcs8::der::asn1::{BitStringRef, ContextSpecific, ContextSpecificRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{
    self, Decode, DecodeValue, Encode, EncodeValue, Header, Length, Reader, Sequence, TagMode, TagNumber,
    Writer,
};

const VERSION: u8 = 1;
const PARAMETERS: TagNumber = TagNumber(0);
const PUBLIC_KEY: TagNumber = TagNumber(1);

/// ```text
/// ECPrivateKey ::= SEQUENCE { version INTEGER { ecPrivkeyVer1(1) }, privateKey OCTET STRING,
///                             parameters [0] ECParameters OPTIONAL, publicKey [1] BIT STRING OPTIONAL }
/// ```
pub(super) struct EcPrivateKey<'a> {
    pub(super) private_key: &'a OctetStringRef,
    /// The named curve, when there is one.
    pub(super) curve: Option<ObjectIdentifier>,
    /// The public point, uncompressed.
    pub(super) public_key: Option<BitStringRef<'a>>,
}

impl<'a> DecodeValue<'a> for EcPrivateKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _header: Header) -> der::Result<Self> {
        if u8::decode(reader)? != VERSION {
            return Err(der::Tag::Integer.value_error().into());
        }
        Ok(Self {
            private_key: reader.decode()?,
            curve: ContextSpecific::decode_explicit(reader, PARAMETERS)?.map(|field| field.value),
            public_key: ContextSpecific::decode_explicit(reader, PUBLIC_KEY)?.map(|field| field.value),
        })
    }
}

impl EcPrivateKey<'_> {
    fn parameters_field(&self) -> Option<ContextSpecificRef<'_, ObjectIdentifier>> {
        self.curve.as_ref().map(|value| ContextSpecificRef {
            tag_number: PARAMETERS,
            tag_mode: TagMode::Explicit,
            value,
        })
    }

    fn public_key_field(&self) -> Option<ContextSpecificRef<'_, BitStringRef<'_>>> {
        self.public_key.as_ref().map(|value| ContextSpecificRef {
            tag_number: PUBLIC_KEY,
            tag_mode: TagMode::Explicit,
            value,
        })
    }
}

impl EncodeValue for EcPrivateKey<'_> {
    fn value_len(&self) -> der::Result<Length> {
        VERSION.encoded_len()?
            + self.private_key.encoded_len()?
            + self.parameters_field().encoded_len()?
            + self.public_key_field().encoded_len()?
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        VERSION.encode(writer)?;
        self.private_key.encode(writer)?;
        self.parameters_field().encode(writer)?;
        self.public_key_field().encode(writer)
    }
}

impl<'a> Sequence<'a> for EcPrivateKey<'a> {}
