//! Enums of the core, for Kotlin and Swift.

/// Declares an enum with the variants of one of the core. One more, one less or one of another name does not compile.
macro_rules! mirror {
    ($(#[$about:meta])* $name:ident of $core:ty { $($(#[$variant_about:meta])* $variant:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum $name { $($(#[$variant_about])* $variant,)* }

        impl $name {
            const ALL: [Self; <$core>::ALL.len()] = [$(Self::$variant),*];
        }

        impl From<$core> for $name {
            fn from(one: $core) -> Self {
                // There are as many here as there, and each is another one of those there.
                let same = |own: &Self| <$core>::from(*own) == one;
                Self::ALL.into_iter().find(same).unwrap_or(Self::ALL[0])
            }
        }

        impl From<$name> for $core {
            fn from(one: $name) -> Self {
                match one { $($name::$variant => Self::$variant,)* }
            }
        }
    };
}

pub(crate) use mirror;
