//! What the coverage block says where a script is told of in part, or not at all.
//!
//! It says so of whole files; probes that are missing within a file are listed there one by one.

use std::ffi::OsStr;

use tracer_instrument::PlanRequest;

use crate::functions::is_rewritten;

/// Bash refuses to run it.
pub(crate) const BINARY: &str = "bash takes the file for a binary and refuses to run it";

/// Either way of tracing would change what the script does.
pub(crate) const WATCHES: &str = "the script looks at what any tracing changes in its shell, so \
                                  bash ran it untraced";

const HOOK: &str =
    "the script was not rewritten; its trace comes from xtrace: statements and words only";

/// Named sourced files; the rest are counted.
const NAMED: usize = 5;

/// Another shell than bash runs the script.
pub(crate) fn another_shell(program: &OsStr) -> String {
    format!(
        "the first line asks for {}, not for bash: that shell ran the script untraced",
        program.to_string_lossy()
    )
}

/// What is missing of a script that is traced by probes or by xtrace.
pub(crate) fn partly(probes: bool, request: &PlanRequest<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if !probes {
        notes.push(HOOK.to_owned());
    }
    let told = |text: Option<&[u8]>| probes && request.replaces && text.is_some_and(is_rewritten);
    let names: Vec<String> = request.sources[1..]
        .iter()
        .filter(|module| !told(module.instrumented))
        .map(|module| {
            let name = module.path.file_name().unwrap_or(module.path.as_os_str());
            name.to_string_lossy().into_owned()
        })
        .collect();
    if names.is_empty() {
        return notes;
    }
    let more = names.len().saturating_sub(NAMED);
    let mut list = names[..names.len() - more].join(", ");
    if more > 0 {
        list = format!("{list} and {more} more");
    }
    notes.push(format!("sourced, and nothing in it is told: {list}"));
    notes
}
