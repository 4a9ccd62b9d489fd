//! Assembles a seccomp filter as a binary decision tree over system call numbers.
//!
//! The kernel runs a new filter once for every system call number to learn which are always
//! allowed, and programs are started thousands of times: a tree of depth nine costs a tenth of
//! the chain of comparisons that general filter compilers emit. Knows nothing of policy.

use std::collections::BTreeMap;

use libc::sock_filter;

/// What the kernel does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Lets it through.
    Allow,
    /// Answers with this `errno`; 0 pretends success.
    Errno(u16),
    /// Kills the process.
    Kill,
}

/// A condition on one argument, of which the low 32 bits count unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// Any of these bits set.
    AnyBit(usize, u32),
    /// None of these bits set.
    NoBit(usize, u32),
    /// One of these values.
    OneOf(usize, Vec<u32>),
    /// None of these values.
    NoneOf(usize, Vec<u32>),
}

/// What to do with one system call: the first check that holds decides, else `otherwise`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) checks: Vec<(Check, Action)>,
    pub(crate) otherwise: Action,
}

impl From<Action> for Rule {
    fn from(otherwise: Action) -> Self {
        Self {
            checks: Vec::new(),
            otherwise,
        }
    }
}

const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
const JUMP_EQ: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GE: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const JUMP_SET: u16 = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;
const OFFSET_ARGUMENTS: u32 = 16;

fn instruction(code: u16, jump_true: u8, jump_false: u8, value: u32) -> sock_filter {
    sock_filter {
        code,
        jt: jump_true,
        jf: jump_false,
        k: value,
    }
}

fn verdict(action: Action) -> sock_filter {
    instruction(
        RETURN,
        0,
        0,
        match action {
            Action::Allow => libc::SECCOMP_RET_ALLOW,
            Action::Errno(number) => libc::SECCOMP_RET_ERRNO | u32::from(number),
            Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        },
    )
}

/// Assembles `rules`; numbers without one get `default`, foreign architectures `foreign`.
pub(crate) fn assemble(
    arch: u32,
    rules: &BTreeMap<u32, Rule>,
    default: Action,
    foreign: Action,
) -> Vec<sock_filter> {
    let mut program = vec![
        instruction(LOAD, 0, 0, OFFSET_ARCH),
        instruction(JUMP_EQ, 1, 0, arch),
        verdict(foreign),
        instruction(LOAD, 0, 0, OFFSET_NUMBER),
    ];
    program.extend(tree(&ranges(rules, default)));
    program
}

/// Neighbouring numbers with the same rule, as (first number, rule), covering all numbers.
fn ranges(rules: &BTreeMap<u32, Rule>, default: Action) -> Vec<(u32, Rule)> {
    let mut ranges: Vec<(u32, Rule)> = vec![(0, default.into())];
    let mut push = |start: u32, rule: Rule| {
        if ranges.last().is_some_and(|last| last.0 == start) {
            ranges.pop();
        }
        if ranges.last().is_none_or(|last| last.1 != rule) {
            ranges.push((start, rule));
        }
    };
    for (&number, rule) in rules {
        push(number, rule.clone());
        push(number + 1, default.into());
    }
    ranges
}

fn tree(ranges: &[(u32, Rule)]) -> Vec<sock_filter> {
    if let [(_, rule)] = ranges {
        return leaf(rule);
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let (low, pivot, high) = (tree(low), high[0].0, tree(high));
    // A conditional jump reaches 255 instructions, so a plain one goes to the upper half.
    let mut program = vec![
        instruction(JUMP_GE, 0, 1, pivot),
        instruction(JUMP, 0, 0, low.len() as u32),
    ];
    program.extend(low);
    program.extend(high);
    program
}

fn leaf(rule: &Rule) -> Vec<sock_filter> {
    let mut program = Vec::new();
    for (check, action) in &rule.checks {
        let (index, values) = match check {
            Check::AnyBit(index, bits) | Check::NoBit(index, bits) => {
                (*index, std::slice::from_ref(bits))
            }
            Check::OneOf(index, values) | Check::NoneOf(index, values) => (*index, &values[..]),
        };
        // Little endian: the low word comes first.
        program.push(instruction(LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * index as u32));
        let bits = matches!(check, Check::AnyBit(..) | Check::NoBit(..));
        let code = if bits { JUMP_SET } else { JUMP_EQ };
        let negated = matches!(check, Check::NoneOf(..) | Check::NoBit(..));
        for (position, value) in values.iter().enumerate() {
            // On a match: to the verdict, or past it if the check is negated.
            let rest = (values.len() - position - 1) as u8;
            let miss = u8::from(position + 1 == values.len() && !negated);
            program.push(instruction(code, rest + u8::from(negated), miss, *value));
        }
        program.push(verdict(*action));
    }
    program.push(verdict(rule.otherwise));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Interprets the subset of BPF that is emitted.
    fn interpret(program: &[sock_filter], arch: u32, number: u32, arguments: [u32; 6]) -> u32 {
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            let mut branch = |taken: bool| at += usize::from(if taken { step.jt } else { step.jf });
            match step.code {
                LOAD if step.k == OFFSET_ARCH => accumulator = arch,
                LOAD if step.k == OFFSET_NUMBER => accumulator = number,
                LOAD => accumulator = arguments[(step.k - OFFSET_ARGUMENTS) as usize / 8],
                JUMP => at += step.k as usize,
                JUMP_EQ => branch(accumulator == step.k),
                JUMP_GE => branch(accumulator >= step.k),
                JUMP_SET => branch(accumulator & step.k != 0),
                RETURN => return step.k,
                other => panic!("unexpected instruction {other:#x}"),
            }
        }
    }

    #[test]
    fn every_number_gets_its_own_rule() {
        let mut rules = BTreeMap::new();
        for number in (0..400).filter(|number| number % 3 != 1) {
            rules.insert(number, Action::Allow.into());
        }
        rules.insert(39, Action::Errno(7).into());
        let program = assemble(1, &rules, Action::Errno(0x26), Action::Kill);
        for number in (0..500).chain([0x4000_0000, u32::MAX]) {
            let want = match rules.get(&number).map(|rule| rule.otherwise) {
                Some(Action::Allow) => libc::SECCOMP_RET_ALLOW,
                Some(Action::Errno(error)) => libc::SECCOMP_RET_ERRNO | u32::from(error),
                _ => libc::SECCOMP_RET_ERRNO | 0x26,
            };
            assert_eq!(
                interpret(&program, 1, number, [0; 6]),
                want,
                "call {number}"
            );
        }
        assert_eq!(
            interpret(&program, 2, 0, [0; 6]),
            libc::SECCOMP_RET_KILL_PROCESS
        );
    }

    #[test]
    fn checks_decide_in_order() {
        let rule = Rule {
            checks: vec![
                (Check::NoBit(3, 0x40), Action::Errno(4)),
                (Check::AnyBit(0, 0x30), Action::Errno(1)),
                (Check::OneOf(1, vec![5, 6]), Action::Errno(2)),
                (Check::NoneOf(2, vec![8, 9]), Action::Errno(3)),
            ],
            otherwise: Action::Allow,
        };
        let program = assemble(1, &BTreeMap::from([(3, rule)]), Action::Kill, Action::Kill);
        let run = |a, b, c| interpret(&program, 1, 3, [a, b, c, 0x40, 0, 0]);
        assert_eq!(
            interpret(&program, 1, 3, [0; 6]),
            libc::SECCOMP_RET_ERRNO | 4
        );
        assert_eq!(run(0x10, 5, 8), libc::SECCOMP_RET_ERRNO | 1);
        assert_eq!(run(0x20, 0, 8), libc::SECCOMP_RET_ERRNO | 1);
        assert_eq!(run(0x0f, 5, 8), libc::SECCOMP_RET_ERRNO | 2);
        assert_eq!(run(0, 6, 9), libc::SECCOMP_RET_ERRNO | 2);
        assert_eq!(run(0, 7, 10), libc::SECCOMP_RET_ERRNO | 3);
        assert_eq!(run(0, 7, 8), libc::SECCOMP_RET_ALLOW);
        assert_eq!(run(0, 7, 9), libc::SECCOMP_RET_ALLOW);
    }
}
