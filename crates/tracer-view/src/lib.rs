//! Renderings of a trace: for people, for training, for programs.
//!
//! Each view reads the one [`tracer_model::Trace`] and writes text or bytes to whatever the caller
//! gives it. None runs anything, and none adds to what the trace says.

pub mod binary;
mod fold;
pub mod jsonl;
pub mod lines;
pub mod pretty;
mod rows;
pub mod text;
pub mod wire;
