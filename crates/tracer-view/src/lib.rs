//! Renderings of a trace: for people, for training, for programs.
//!
//! Each view reads the one [`tracer_model::Trace`] and writes text or bytes to whatever the caller
//! gives it. None runs anything, and none adds to what the trace says.

pub mod binary;
pub mod calls;
mod fold;
pub mod frames;
pub mod html;
pub mod inline;
pub mod jsonl;
pub mod lines;
pub mod pretty;
pub mod probes;
pub mod qa;
mod rows;
mod source;
pub mod text;
pub mod wire;
