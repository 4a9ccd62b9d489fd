//! Arguments, environment and random bytes.

use std::ffi::OsString;

use wasmtime::{Caller, Linker};

use super::abi::{Errno, bytes_mut, code, memory, put, put32};
use super::{MODULE, System};
use crate::job::with_zero;

pub(super) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    type Words = fn(&System) -> &[OsString];
    let lists: [(&str, &str, Words); 2] = [
        ("args_get", "args_sizes_get", |system| &system.arguments),
        ("environ_get", "environ_sizes_get", |system| {
            &system.environment
        }),
    ];
    for (get, sizes, words) in lists {
        linker.func_wrap(
            MODULE,
            get,
            move |mut caller: Caller<'_, System>, list: u32, text: u32| {
                code(
                    memory(&mut caller)
                        .and_then(|(memory, system)| lay_out(memory, words(system), list, text)),
                )
            },
        )?;
        linker.func_wrap(
            MODULE,
            sizes,
            move |mut caller: Caller<'_, System>, count: u32, size: u32| {
                code(memory(&mut caller).and_then(|(memory, system)| {
                    let words = words(system);
                    let total: usize = words.iter().map(|word| word.len() + 1).sum();
                    put32(memory, count, words.len() as u32)?;
                    put32(memory, size, total as u32)
                }))
            },
        )?;
    }
    linker.func_wrap(
        MODULE,
        "random_get",
        |mut caller: Caller<'_, System>, at: u32, length: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                system.random.fill(bytes_mut(memory, at, length)?);
                Ok(())
            }))
        },
    )?;
    Ok(())
}

fn lay_out(memory: &mut [u8], words: &[OsString], list: u32, text: u32) -> Result<(), Errno> {
    let (mut list, mut text) = (list, text);
    for word in words {
        let word = with_zero(word);
        put32(memory, list, text)?;
        put(memory, text, &word)?;
        list = list.checked_add(4).ok_or(Errno::FAULT)?;
        text = text.checked_add(word.len() as u32).ok_or(Errno::FAULT)?;
    }
    Ok(())
}
