//! The tunnel through a proxy (`CONNECT`, RFC 9110 §9.3.6).

use std::io::{Read as _, Write as _};

use ::http::header::{PROXY_AUTHORIZATION, USER_AGENT};
use ::http::{HeaderValue, Method, Request, Uri};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use ureq_proto::client::{Call, SendRequestResult};
use zeroize::Zeroizing;

use super::connection::Socket;
use super::exchange::NAME;
use super::scope::{Scope, out_of_io};
use crate::{Error, ErrorCode, Result};

/// An http proxy between us and the bank.
pub(super) struct Proxy {
    /// Without the credentials.
    uri: Uri,
    credentials: Option<HeaderValue>,
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
        let credentials = match userinfo {
            Some(userinfo) => Some(basic(userinfo)?),
            None => None,
        };
        Some(Self { uri: plain, credentials })
    }

    /// Where the proxy is.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Has the proxy connect the socket to the host of `target`.
    pub(super) fn open_tunnel(&self, socket: &mut Socket, target: &Uri, scope: &Scope<'_>) -> Result<()> {
        let mut request = Zeroizing::new(vec![0; 4096]);
        let (length, call) = self.write(target, &mut request).ok_or_else(refused)?;
        let SendRequestResult::RecvResponse(mut call) = call else { return Err(refused()) };
        let mut wire = socket.during(scope);
        wire.write_all(&request[..length]).map_err(out_of_io)?;
        let (mut answer, mut filled) = ([0; 4096], 0);
        loop {
            let read = wire.read(&mut answer[filled..]).map_err(out_of_io)?;
            filled += read;
            let (taken, head) = call.try_response(&answer[..filled], false).map_err(|_| refused())?;
            answer.copy_within(taken..filled, 0);
            filled -= taken;
            match head {
                // The bank says nothing before we do.
                Some(head) if head.status().is_success() && filled == 0 => return Ok(()),
                Some(_) => return Err(refused()),
                None if read == 0 => return Err(refused()),
                None => {}
            }
        }
    }

    /// None when host and credentials are longer than any.
    fn write(&self, target: &Uri, output: &mut [u8]) -> Option<(usize, SendRequestResult)> {
        let authority = format!("{}:{}", target.host()?, target.port_u16().unwrap_or(443));
        let mut request = Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = Uri::builder().authority(authority).build().ok()?;
        let mut call = Call::new(request).ok()?;
        call.header(USER_AGENT, HeaderValue::from_static(NAME)).ok()?;
        if let Some(credentials) = &self.credentials {
            call.header(PROXY_AUTHORIZATION, credentials.clone()).ok()?;
        }
        let mut call = call.proceed();
        let length = call.write(output).ok()?;
        Some((length, call.proceed().ok()??))
    }
}

/// The credentials of an address, as RFC 7617 has them.
fn basic(userinfo: &str) -> Option<HeaderValue> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let plain = |text| Some(Zeroizing::new(percent_decode_str(text).decode_utf8().ok()?.into_owned()));
    let joined = Zeroizing::new(format!("{}:{}", *plain(user)?, *plain(password)?));
    let value = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(joined.as_bytes())));
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some(value)
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
        let expected = format!("Basic {}", BASE64_STANDARD.encode("us er:p@ss"));
        assert_eq!(proxy.credentials.unwrap(), expected.as_str());
        assert!(Proxy::read("http://proxy.example").unwrap().credentials.is_none());
    }
}
