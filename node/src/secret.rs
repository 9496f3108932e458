//! Secret texts.

use napi_derive::napi;

/// A secret text. It leaves by `expose` only.
#[napi]
pub struct Secret(pub(crate) cbpii::Secret);

#[napi]
impl Secret {
    #[napi(constructor, catch_unwind)]
    pub fn new(text: String) -> Self {
        Self(cbpii::Secret::new(text))
    }

    /// The secret itself.
    #[napi(catch_unwind)]
    pub fn expose(&self) -> String {
        self.0.expose().to_owned()
    }

    /// A form that may be shown.
    #[napi(catch_unwind)]
    pub fn masked(&self) -> String {
        self.0.masked()
    }

    /// Whether both are the same, in constant time.
    #[napi(catch_unwind)]
    pub fn equals(&self, other: &Secret) -> bool {
        self.0 == other.0
    }
}
