//! Objects of the core, for Kotlin and Swift.

/// Declares an object that holds one value of the core, and how it prints: never a secret.
macro_rules! object {
    ($(#[$about:meta])* $name:ident($core:ty), $shown:expr) => {
        $(#[$about])*
        #[derive(uniffi::Object)]
        #[uniffi::export(Display)]
        pub struct $name {
            pub(crate) inner: $core,
            _live: crate::testing::Live,
        }

        impl $name {
            pub(crate) fn of(inner: $core) -> std::sync::Arc<Self> {
                std::sync::Arc::new(Self { inner, _live: crate::testing::Live::default() })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let shown: fn(&$core) -> String = $shown;
                f.write_str(&shown(&self.inner))
            }
        }
    };
}

pub(crate) use object;
