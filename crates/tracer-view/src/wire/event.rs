//! Events in JSON: `{"kind": "VAR", "at": {…}, …}`.

use serde::{Deserialize, Serialize};
use tracer_model as model;
use tracer_model::Payload;

use super::value::{Value, named, unnamed};
use super::{all, back, mirror};

mirror! {
    /// What a loop did.
    LoopPhase = model::LoopPhase { Entered, Iteration, Left }
}
mirror! {
    /// What happened to an error.
    ErrPhase = model::ErrPhase { Raised, Caught, Passing, Uncaught, Signal, Status }
}
mirror! {
    /// What happened to a task.
    TaskPhase = model::TaskPhase { Created, Switched, Ended }
}

/// Where an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// Site id; 0 where none applies.
    pub site: u32,
    /// Line; 0 where none applies.
    pub line: u32,
    /// Task; 0 is the main one.
    pub task: u32,
    /// Calls deep.
    pub depth: u32,
}

/// The arm a branch took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Arm {
    /// Its number in the site's `arms`.
    pub index: u32,
    /// Its name.
    pub name: String,
}

/// A place an error came through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Frame {
    /// Function name.
    pub function: String,
    /// Line.
    pub line: u32,
}

/// What a call raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Raised {
    /// Type of the error.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Value>,
}

/// One event. The model's `Payload` describes the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the model's `Payload` describes each field")]
pub enum Event {
    In {
        at: Place,
        args: Vec<(String, Value)>,
    },
    Out {
        at: Place,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
        #[serde(default, skip_serializing_if = "is_false")]
        unwinding: bool,
        #[serde(default, skip_serializing_if = "is_false")]
        suspended: bool,
    },
    Var {
        at: Place,
        name: String,
        value: Value,
    },
    Branch {
        at: Place,
        arm: Arm,
        operands: Vec<(String, Value)>,
    },
    Loop {
        at: Place,
        phase: LoopPhase,
        count: u64,
        targets: Vec<(String, Value)>,
    },
    Err {
        at: Place,
        phase: ErrPhase,
        #[serde(rename = "type")]
        type_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Value>,
        frames: Vec<Frame>,
    },
    Transform {
        at: Place,
        name: String,
        before: Value,
        after: Value,
    },
    Call {
        at: Place,
        callee: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        package: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        args: Vec<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raised: Option<Raised>,
    },
    Step {
        at: Place,
    },
    Stdout {
        at: Place,
        stream: u8,
        text: String,
        length: u64,
    },
    Task {
        at: Place,
        phase: TaskPhase,
        what: String,
        task: u32,
    },
    Elide {
        at: Place,
        from: u64,
        to: u64,
        count: u64,
        /// What the last visit left out said, as an event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<Box<Event>>,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

fn event(at: Place, payload: &Payload) -> Event {
    match payload {
        Payload::In { args } => Event::In {
            at,
            args: named(args),
        },
        Payload::Out {
            value,
            unwinding,
            suspended,
        } => Event::Out {
            at,
            value: value.as_ref().map(Value::from),
            unwinding: *unwinding,
            suspended: *suspended,
        },
        Payload::Var { name, value } => Event::Var {
            at,
            name: name.clone(),
            value: value.into(),
        },
        Payload::Branch { operands, arm } => Event::Branch {
            at,
            arm: Arm {
                index: arm.index,
                name: arm.name.clone(),
            },
            operands: named(operands),
        },
        Payload::Loop {
            phase,
            count,
            targets,
        } => Event::Loop {
            at,
            phase: (*phase).into(),
            count: *count,
            targets: named(targets),
        },
        Payload::Err {
            phase,
            type_name,
            message,
            frames,
        } => Event::Err {
            at,
            phase: (*phase).into(),
            type_name: type_name.clone(),
            message: message.as_ref().map(Value::from),
            frames: all(frames),
        },
        Payload::Transform {
            name,
            before,
            after,
        } => Event::Transform {
            at,
            name: name.clone(),
            before: before.into(),
            after: after.into(),
        },
        Payload::Call {
            callee,
            package,
            version,
            args,
            result,
            raised,
        } => Event::Call {
            at,
            callee: callee.clone(),
            package: package.clone(),
            version: version.clone(),
            args: all(args),
            result: result.as_ref().map(Value::from),
            raised: raised.as_ref().map(Raised::from),
        },
        Payload::Step => Event::Step { at },
        Payload::Stdout {
            stream,
            text,
            length,
        } => Event::Stdout {
            at,
            stream: *stream,
            text: text.clone(),
            length: *length,
        },
        Payload::Task { phase, what, task } => Event::Task {
            at,
            phase: (*phase).into(),
            what: what.clone(),
            task: *task,
        },
        Payload::Elide {
            from,
            to,
            count,
            last,
        } => Event::Elide {
            at,
            from: *from,
            to: *to,
            count: *count,
            last: last.as_ref().map(|last| Box::new(event(at, last))),
        },
    }
}

impl From<&model::Event> for Event {
    fn from(from: &model::Event) -> Self {
        let at = Place {
            site: from.site,
            line: from.line,
            task: from.task,
            depth: from.depth,
        };
        event(at, &from.payload)
    }
}

impl From<&model::Raised> for Raised {
    fn from(raised: &model::Raised) -> Self {
        Self {
            type_name: raised.type_name.clone(),
            message: raised.message.as_ref().map(Value::from),
        }
    }
}

impl From<Raised> for model::Raised {
    fn from(raised: Raised) -> Self {
        Self {
            type_name: raised.type_name,
            message: raised.message.map(Into::into),
        }
    }
}

impl From<&model::Frame> for Frame {
    fn from(frame: &model::Frame) -> Self {
        Self {
            function: frame.function.clone(),
            line: frame.line,
        }
    }
}

impl From<Frame> for model::Frame {
    fn from(frame: Frame) -> Self {
        Self {
            function: frame.function,
            line: frame.line,
        }
    }
}

impl From<Event> for model::Event {
    fn from(wire: Event) -> Self {
        use model::Kind;
        let (kind, at, payload) = match wire {
            Event::In { at, args } => (
                Kind::In,
                at,
                Payload::In {
                    args: unnamed(args),
                },
            ),
            Event::Out {
                at,
                value,
                unwinding,
                suspended,
            } => {
                let value = value.map(Into::into);
                (
                    Kind::Out,
                    at,
                    Payload::Out {
                        value,
                        unwinding,
                        suspended,
                    },
                )
            }
            Event::Var { at, name, value } => (
                Kind::Var,
                at,
                Payload::Var {
                    name,
                    value: value.into(),
                },
            ),
            Event::Branch { at, arm, operands } => {
                let arm = model::Arm {
                    index: arm.index,
                    name: arm.name,
                };
                (
                    Kind::Branch,
                    at,
                    Payload::Branch {
                        operands: unnamed(operands),
                        arm,
                    },
                )
            }
            Event::Loop {
                at,
                phase,
                count,
                targets,
            } => {
                let targets = unnamed(targets);
                (
                    Kind::Loop,
                    at,
                    Payload::Loop {
                        phase: phase.into(),
                        count,
                        targets,
                    },
                )
            }
            Event::Err {
                at,
                phase,
                type_name,
                message,
                frames,
            } => {
                let (phase, message) = (phase.into(), message.map(Into::into));
                let frames = back(frames);
                (
                    Kind::Err,
                    at,
                    Payload::Err {
                        phase,
                        type_name,
                        message,
                        frames,
                    },
                )
            }
            Event::Transform {
                at,
                name,
                before,
                after,
            } => {
                let (before, after) = (before.into(), after.into());
                (
                    Kind::Transform,
                    at,
                    Payload::Transform {
                        name,
                        before,
                        after,
                    },
                )
            }
            Event::Call {
                at,
                callee,
                package,
                version,
                args,
                result,
                raised,
            } => {
                let (args, result) = (back(args), result.map(Into::into));
                let raised = raised.map(Into::into);
                (
                    Kind::Call,
                    at,
                    Payload::Call {
                        callee,
                        package,
                        version,
                        args,
                        result,
                        raised,
                    },
                )
            }
            Event::Step { at } => (Kind::Step, at, Payload::Step),
            Event::Stdout {
                at,
                stream,
                text,
                length,
            } => (
                Kind::Stdout,
                at,
                Payload::Stdout {
                    stream,
                    text,
                    length,
                },
            ),
            Event::Task {
                at,
                phase,
                what,
                task,
            } => (
                Kind::Task,
                at,
                Payload::Task {
                    phase: phase.into(),
                    what,
                    task,
                },
            ),
            Event::Elide {
                at,
                from,
                to,
                count,
                last,
            } => {
                let last = last.map(|last| Box::new(Self::from(*last).payload));
                (
                    Kind::Elide,
                    at,
                    Payload::Elide {
                        from,
                        to,
                        count,
                        last,
                    },
                )
            }
        };
        Self {
            kind,
            site: at.site,
            line: at.line,
            task: at.task,
            depth: at.depth,
            payload,
        }
    }
}
