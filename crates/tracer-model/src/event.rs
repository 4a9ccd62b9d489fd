//! Normalised events: what happened, in order, without addresses, times or process numbers.

use serde::{Deserialize, Serialize};

use crate::{Kind, Value};

/// What a loop did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoopPhase {
    /// The loop statement was reached.
    Entered,
    /// An iteration begins; the count is its number from 1.
    Iteration,
    /// The loop is over; the count is how many iterations it made.
    Left,
}

/// What happened to an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrPhase {
    /// Raised here.
    Raised,
    /// Caught here.
    Caught,
    /// On its way through here (a `finally` runs, a frame is unwound).
    Passing,
    /// Nobody caught it; the program ends.
    Uncaught,
    /// A signal arrived.
    Signal,
    /// A status other than success that the program goes on from.
    Status,
}

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskPhase {
    /// It came into being.
    Created,
    /// It runs from here on.
    Switched,
    /// It is over.
    Ended,
}

/// The arm a branch took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// Its number in the site's `arms`; 0 is false or else, 1 is true, for two-armed branches.
    pub index: u32,
    /// Its name, e.g. `true`, `case 3`.
    pub name: String,
}

/// A place an error passed through, innermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Qualified or plain function name.
    pub function: String,
    /// Line in the original source.
    pub line: u32,
}

/// What a call raised, or let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Type of the error.
    pub type_name: String,
    /// Its message, where it can be had without running the subject's code.
    pub message: Option<Value>,
}

/// What an event says beyond its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// Arguments by name.
    In {
        /// In declaration order.
        args: Vec<(String, Value)>,
    },
    /// The way out of a function.
    Out {
        /// Returned or yielded value, where known.
        value: Option<Value>,
        /// Left by an error rather than a return.
        unwinding: bool,
        /// Suspended rather than left: a `yield` or `await`.
        suspended: bool,
    },
    /// A write (or, where the site says so, a sub-expression's value).
    Var {
        /// Target as written in the source.
        name: String,
        /// New value.
        value: Value,
    },
    /// A decision.
    Branch {
        /// Operand values by source text.
        operands: Vec<(String, Value)>,
        /// Arm taken.
        arm: Arm,
    },
    /// A loop's progress.
    Loop {
        /// Entered, iteration, left.
        phase: LoopPhase,
        /// Iteration number or total.
        count: u64,
        /// Loop targets bound for this iteration.
        targets: Vec<(String, Value)>,
    },
    /// An error's progress.
    Err {
        /// Raised, caught, ….
        phase: ErrPhase,
        /// Type name, signal name or status.
        type_name: String,
        /// Message, where it can be had without running the subject's code.
        message: Option<Value>,
        /// Where it came through, innermost first.
        frames: Vec<Frame>,
    },
    /// A container changed in place.
    Transform {
        /// The container as written in the source.
        name: String,
        /// Before the call.
        before: Value,
        /// After it.
        after: Value,
    },
    /// A library call.
    Call {
        /// Qualified name.
        callee: String,
        /// Package it belongs to, if known.
        package: Option<String>,
        /// That package's version, if known.
        version: Option<String>,
        /// Arguments in order. The site's names say which were passed by keyword.
        args: Vec<Value>,
        /// Result; `None` if it did not return.
        result: Option<Value>,
        /// The error it was left by. Kept apart in the binary form, whose older files know none.
        #[serde(skip)]
        raised: Option<Raised>,
    },
    /// Nothing more.
    Step,
    /// Output.
    Stdout {
        /// 1 for stdout, 2 for stderr.
        stream: u8,
        /// The text, replaced where it is not UTF-8; may be cut.
        text: String,
        /// Bytes written.
        length: u64,
    },
    /// A task's progress.
    Task {
        /// Created, switched to, ended.
        phase: TaskPhase,
        /// `thread`, `process`, `generator`, `coroutine`, ….
        what: String,
        /// Its number, by first appearance.
        task: u32,
    },
    /// Visits of this site that were left out here.
    Elide {
        /// First and last visit left out, from 1.
        from: u64,
        /// Last visit left out.
        to: u64,
        /// How many.
        count: u64,
        /// What the last of them said.
        last: Option<Box<Payload>>,
    },
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    pub kind: Kind,
    /// Where; 0 where no site applies.
    pub site: u32,
    /// Line in the original source; 0 where none applies.
    pub line: u32,
    /// Task it happened in; 0 is the main one.
    pub task: u32,
    /// Calls deep, from 0.
    pub depth: u32,
    /// The rest.
    pub payload: Payload,
}
