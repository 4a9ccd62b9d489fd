//! How far probes have shifted the columns of a file, for the emitter to put right.

use std::fmt::Write;

use tracer_instrument::PlanSource;

/// The table for some files, as the source of a constant. Panics give their place in characters.
pub(crate) fn table(
    sources: &[PlanSource<'_>],
    name: &dyn Fn(&PlanSource<'_>) -> String,
) -> String {
    let mut text =
        String::from("#[doc(hidden)]pub const _TR_COLUMNS:&[(&str,&[(u32,&[(u32,u32)])])]=&[");
    for source in sources
        .iter()
        .filter(|source| source.instrumented.is_some())
    {
        let _ = write!(text, "({:?},&[", name(source));
        lines(source, &mut text);
        text.push_str("]),");
    }
    text.push_str("];");
    text
}

fn lines(source: &PlanSource<'_>, text: &mut String) {
    let mut insertions = source.insertions.iter().peekable();
    let mut start = 0;
    for (row, line) in source
        .original
        .split_inclusive(|&byte| byte == b'\n')
        .enumerate()
    {
        let end = start + line.len();
        let last = end == source.original.len();
        let mut shift = 0;
        while let Some(insertion) =
            insertions.next_if(|insertion| (insertion.at as usize) < end || last)
        {
            if shift == 0 {
                let _ = write!(text, "({},&[", row + 1);
            }
            let before = &source.original[start..(insertion.at as usize).min(end)];
            let column = String::from_utf8_lossy(before).chars().count();
            shift += insertion.length;
            let _ = write!(text, "({},{shift}),", column + 1);
        }
        if shift != 0 {
            text.push_str("]),");
        }
        start = end;
    }
}
