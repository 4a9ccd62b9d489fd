//! One file a command.

pub(crate) mod batch;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod generate;
pub(crate) mod image;
pub(crate) mod instrument;
pub(crate) mod languages;
pub(crate) mod libraries;
pub(crate) mod run;
pub(crate) mod view;
