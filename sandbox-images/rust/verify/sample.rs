//! A stack machine and its assembler: enums, traits, iterators, generics, errors, channels, shared state.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::{Arc, Mutex, mpsc};
use std::cell::RefCell;

#[derive(Debug, Clone, PartialEq)]
enum Op {
    Push(i64),
    Add,
    Mul,
    Swap,
    Dup,
    Print,
    JumpIf(String),
    Label(String),
}

#[derive(Debug)]
enum Problem {
    Syntax { line: usize, text: String },
    Number(std::num::ParseIntError),
    Empty(Op),
    NoLabel(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, text } => write!(f, "line {line}: {text:?} is no instruction"),
            Self::Number(error) => write!(f, "{error}"),
            Self::Empty(op) => write!(f, "{op:?} finds nothing on the stack"),
            Self::NoLabel(name) => write!(f, "no label {name}"),
        }
    }
}

impl std::error::Error for Problem {}

impl From<std::num::ParseIntError> for Problem {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::Number(error)
    }
}

struct Program {
    ops: Vec<Op>,
    labels: HashMap<String, usize>,
}

impl FromStr for Program {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut ops = Vec::new();
        let mut labels = HashMap::new();
        for (index, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            ops.push(match words[..] {
                ["push", number] => Op::Push(number.parse()?),
                ["add"] => Op::Add,
                ["mul"] => Op::Mul,
                ["swap"] => Op::Swap,
                ["dup"] => Op::Dup,
                ["print"] => Op::Print,
                ["jumpif", name] => Op::JumpIf(name.to_owned()),
                [name] if name.ends_with(':') => {
                    labels.insert(name.trim_end_matches(':').to_owned(), ops.len());
                    Op::Label(name.to_owned())
                }
                _ => return Err(Problem::Syntax { line: index + 1, text: line.to_owned() }),
            });
        }
        Ok(Self { ops, labels })
    }
}

trait Sink {
    fn take(&mut self, value: i64);
}

impl<F: FnMut(i64)> Sink for F {
    fn take(&mut self, value: i64) {
        self(value);
    }
}

fn run(program: &Program, sink: &mut dyn Sink) -> Result<usize, Problem> {
    let (mut stack, mut at, mut steps) = (Vec::new(), 0, 0);
    while let Some(op) = program.ops.get(at) {
        let pop = |stack: &mut Vec<i64>| stack.pop().ok_or_else(|| Problem::Empty(op.clone()));
        (at, steps) = (at + 1, steps + 1);
        match op {
            Op::Push(value) => stack.push(*value),
            Op::Add | Op::Mul => {
                let (b, a) = (pop(&mut stack)?, pop(&mut stack)?);
                stack.push(if *op == Op::Add { a + b } else { a * b });
            }
            Op::Swap => {
                let (b, a) = (pop(&mut stack)?, pop(&mut stack)?);
                stack.extend([b, a]);
            }
            Op::Dup => stack.push(*stack.last().ok_or_else(|| Problem::Empty(op.clone()))?),
            Op::Print => sink.take(pop(&mut stack)?),
            Op::JumpIf(name) if pop(&mut stack)? != 0 => {
                at = *program.labels.get(name).ok_or_else(|| Problem::NoLabel(name.clone()))?;
            }
            Op::JumpIf(_) | Op::Label(_) => {}
        }
    }
    Ok(steps)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Doubles 1 five times; the counter above it is printed each time.
    let doubling = "push 1\npush 5\nloop:\ndup\nprint\nswap\npush 2\nmul\nswap\npush -1\nadd\ndup\njumpif loop\nswap\nprint\n";
    let printed = Rc::new(RefCell::new(VecDeque::new()));
    let copy = Rc::clone(&printed);
    let steps = run(&doubling.parse()?, &mut move |value| copy.borrow_mut().push_back(value))?;
    println!("{:?} in {steps} steps, shared by {}", printed.borrow(), Rc::strong_count(&printed));
    for text in ["push x", "add", "push 1\njumpif away", "\nfly", "push 99999999999999999999"] {
        match text.parse().and_then(|program| run(&program, &mut |_| {})) {
            Ok(steps) => println!("{steps}"),
            Err(problem) => println!("{problem}"),
        }
    }
    let (sender, receiver) = mpsc::channel();
    let total = Arc::new(Mutex::new(0_u64));
    let workers: Vec<_> = (0..4_u64)
        .map(|id| {
            let (sender, total) = (sender.clone(), Arc::clone(&total));
            move || {
                *total.lock().unwrap() += (id..1000).step_by(4).sum::<u64>();
                sender.send(char::from(b'a' + id as u8)).unwrap();
            }
        })
        .collect();
    drop(sender);
    workers.into_iter().for_each(|worker| worker());
    let mut names: Vec<char> = receiver.iter().collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    println!("{names:?} {}", total.lock().unwrap());
    let counts = "the quick the lazy the".split(' ').fold(BTreeMap::new(), |mut counts, word| {
        *counts.entry(word).or_insert(0) += 1;
        counts
    });
    println!("{counts:#?}\n{:>8.3}|{:#06x}|{:?}", std::f64::consts::PI, 255, "tab\t".chars().rev().collect::<String>());
    Ok(())
}
