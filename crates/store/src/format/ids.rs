//! Who is who on disk.

use std::fmt;

use base::Clock;

macro_rules! drawn_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// An id that nobody has yet.
            pub fn draw(clock: &Clock) -> $name {
                $name(u128::from(clock.random_u64()) << 64 | u128::from(clock.random_u64()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

macro_rules! counted_id {
    ($(#[$doc:meta])* $name:ident, $number:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $number);

        impl $name {
            /// The one behind this.
            ///
            /// # Panics
            /// When there is none: at one a nanosecond that takes centuries for 64 bits, and a
            /// volume has far fewer extents than 32 bits count.
            #[must_use]
            pub fn next(self) -> $name {
                $name(self.0.checked_add(1).expect("a counter on disk does not run out"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

drawn_id! {
    /// A store: all volumes that belong together.
    StoreId
}
drawn_id! {
    /// A volume, wherever it is mounted.
    VolumeId
}
counted_id! {
    /// An extent's number in its volume; its file is named for it.
    ExtentNumber, u32
}
counted_id! {
    /// How often an extent was reset: what was written before that is not there any more.
    Incarnation, u64
}
counted_id! {
    /// A record's number in its stream. The log of a volume is one stream, each data block another.
    Sequence, u64
}
counted_id! {
    /// How often a volume was opened.
    OpenCount, u64
}
counted_id! {
    /// A block: what objects point into, wherever its copies are.
    BlockId, u64
}
counted_id! {
    /// The bytes of one object or part, where they take more than a few pieces.
    BodyId, u64
}
