//! The tunnel through a proxy (`CONNECT`, RFC 9110 §9.3.6).

use std::io::{Read as _, Write as _};

use ::http::Uri;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::answer_head::AnswerHead;
use super::connection::Socket;
use super::exchange::NAME;
use super::scope::{Scope, out_of_io};
use crate::{Error, ErrorCode, Result};

/// An http proxy between us and the bank.
pub(super) struct Proxy {
    /// Without the credentials.
    uri: Uri,
    /// Their whole line, or nothing.
    credentials: Zeroizing<String>,
}

impl Proxy {
    /// Reads `http://user:password@host:3128`; what is not plain in user and password is percent-encoded.
    pub(super) fn read(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            Error::new(
                ErrorCode::Proxy,
                "The proxy is not an address like http://user:password@host:3128; only http proxies that offer CONNECT can be used.",
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let (userinfo, host) = match uri.authority()?.as_str().rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, uri.authority()?.as_str()),
        };
        if uri.scheme_str() != Some("http") || uri.host().unwrap_or_default().is_empty() {
            return None;
        }
        let plain = Uri::builder().scheme("http").authority(host).path_and_query("/").build().ok()?;
        let credentials = userinfo.map_or(Some(Zeroizing::default()), basic)?;
        Some(Self { uri: plain, credentials })
    }

    /// Where the proxy is.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Has the proxy connect the socket to the host of `target`.
    pub(super) fn open_tunnel(&self, socket: &mut Socket, target: &Uri, scope: &Scope<'_>) -> Result<()> {
        let mut wire = socket.during(scope);
        wire.write_all(self.request(target).as_bytes()).map_err(out_of_io)?;
        let (mut answer, mut filled) = ([0; 4096], 0);
        loop {
            match AnswerHead::read(&answer[..filled]).map_err(|_| refused())? {
                Some((length, head)) if head.is_interim() => {
                    answer.copy_within(length..filled, 0);
                    filled -= length;
                    continue;
                }
                // The bank says nothing before we do.
                Some((length, head)) if (200..300).contains(&head.status) && length == filled => {
                    return Ok(());
                }
                Some(_) => return Err(refused()),
                None => {}
            }
            match wire.read(&mut answer[filled..]).map_err(out_of_io)? {
                0 => return Err(refused()),
                amount => filled += amount,
            }
        }
    }

    fn request(&self, target: &Uri) -> Zeroizing<String> {
        let authority = format!("{}:{}", target.host().unwrap_or_default(), target.port_u16().unwrap_or(443));
        let credentials = self.credentials.as_str();
        Zeroizing::new(format!(
            "CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: {NAME}\r\n{credentials}\r\n"
        ))
    }
}

/// The credentials of an address, as RFC 7617 has them.
fn basic(userinfo: &str) -> Option<Zeroizing<String>> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let plain = |text| Some(Zeroizing::new(percent_decode_str(text).decode_utf8().ok()?.into_owned()));
    let joined = Zeroizing::new(format!("{}:{}", *plain(user)?, *plain(password)?));
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(joined.as_bytes()));
    Some(Zeroizing::new(format!("proxy-authorization: Basic {}\r\n", *encoded)))
}

fn refused() -> Error {
    Error::new(
        ErrorCode::ProxyFailed,
        "The proxy did not make the connection to the bank; check its address, credentials and rules.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_proxies_are_taken() {
        for text in ["http://proxy.example", "http://user:secret@proxy.example:3128", "http://[::1]:3128/"] {
            assert!(Proxy::read(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "proxy",
            "https://proxy.example",
            "socks5://proxy.example",
            "http://",
            "http://a b",
            "http://%ff@proxy.example",
        ] {
            let error = Proxy::read(text).err().unwrap();
            assert_eq!(error.code(), ErrorCode::Proxy, "{text}");
        }
    }

    #[test]
    fn credentials_are_decoded_once_and_are_not_part_of_the_address() {
        let proxy = Proxy::read("http://us%20er:p%40ss@proxy.example:3128").unwrap();
        assert_eq!(proxy.uri().to_string(), "http://proxy.example:3128/");
        let expected = format!("proxy-authorization: Basic {}\r\n", BASE64_STANDARD.encode("us er:p@ss"));
        assert_eq!(*proxy.credentials, expected);
        assert!(Proxy::read("http://proxy.example").unwrap().credentials.is_empty());
    }
}
