//! Which inner walls a run does without: none, save in a test that shows what they stop.
//!
//! Without the cargo feature `weaken`, which only tests ask for, there is no way to leave one out
//! and the question has a constant answer.

macro_rules! walls {
    ($($(#[$doc:meta])* $wall:ident = $name:literal,)*) => {
        /// One inner wall.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(not(feature = "weaken"), allow(dead_code))]
        pub(crate) enum Wall { $($(#[$doc])* $wall,)* }

        #[cfg(feature = "weaken")]
        impl Wall {
            fn name(self) -> &'static str {
                match self { $(Self::$wall => $name,)* }
            }
        }
    };
}

walls! {
    /// Bounds on memories, tables and instances.
    Limits = "module limits",
    /// That paths stay beneath the folder they start from.
    Paths = "module folders",
    /// The bound on open descriptors.
    Descriptors = "module descriptors",
}

/// The word before the others that begins a list of walls to leave out.
#[cfg(feature = "weaken")]
pub const WITHOUT: &str = "without";

#[cfg(feature = "weaken")]
static LEFT_OUT: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Takes the list off the worker's words, if there is one.
#[cfg(feature = "weaken")]
pub(crate) fn take(words: &mut Vec<std::ffi::OsString>) {
    if words.first().is_some_and(|word| word == WITHOUT) && words.len() > 1 {
        let list = words.drain(..2).nth(1).unwrap_or_default();
        let _ = LEFT_OUT.set(list.to_string_lossy().into_owned());
    }
}

/// Whether a wall stands.
#[cfg(feature = "weaken")]
pub(crate) fn stands(wall: Wall) -> bool {
    let left_out = LEFT_OUT.get().map(String::as_str).unwrap_or_default();
    !left_out.split(',').any(|name| name == wall.name())
}

/// Whether a wall stands: it does.
#[cfg(not(feature = "weaken"))]
pub(crate) fn stands(_: Wall) -> bool {
    true
}
