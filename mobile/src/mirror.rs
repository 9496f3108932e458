//! Enums of the core, for Kotlin and Swift.

/// Declares an enum with the variants of one of the core, in the same order. One more or less there does not compile.
macro_rules! mirror {
    ($(#[$about:meta])* $name:ident of $core:ty { $($(#[$variant_about:meta])* $variant:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum $name { $($(#[$variant_about])* $variant,)* }

        impl $name {
            const ALL: [Self; <$core>::ALL.len()] = [$(Self::$variant),*];
        }

        // Each variant is the one of the same name.
        const _: fn($name) -> $core = |one| match one { $($name::$variant => <$core>::$variant,)* };

        impl From<$core> for $name {
            fn from(one: $core) -> Self {
                let place = <$core>::ALL.iter().position(|known| *known == one).unwrap_or_default();
                Self::ALL[place]
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
