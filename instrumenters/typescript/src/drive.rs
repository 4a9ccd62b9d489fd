//! How a TypeScript file that only defines is driven: as a JavaScript file is, with the kinds of
//! values that its types name.

use tracer_instrument::drive::{DriveSpec, Shape};
use tracer_lang_javascript::drive as javascript;

/// See [`DriveSpec`].
pub(crate) static DRIVE: DriveSpec = DriveSpec {
    query: include_str!("../drive.scm"),
    shape,
    write: |value, _| javascript::write(value),
    snippet: |text| format!("([{text}])"),
    literal_names: &["true", "false", "null", "undefined", "NaN", "Infinity"],
    generic: Some("number"),
    call: javascript::call,
    construct: javascript::construct,
    step: javascript::step,
    frame: |frame| {
        let mut placed = javascript::frame(frame);
        // What is not typed would be an error where all must be.
        placed.appended = placed
            .appended
            .replace(
                "driverText (value, depth)",
                "driverText (value: any, depth: number): string",
            )
            .replace("(parts) =>", "(parts: any[]) =>")
            .replace(
                "driverShow (label, call)",
                "driverShow (label: string, call: () => any): any",
            )
            .replace("value.then((value) =>", "value.then((value: any) =>");
        if !frame.source.contains("process") {
            placed.appended = placed
                .appended
                .replace("process.argv[2]", "(globalThis as any).process.argv[2]");
        }
        placed
    },
    typed: false,
    names: "=",
    reads: javascript::READS,
};

/// A map is an object in JavaScript's own form, but one of its own kind where the type says so.
fn shape(text: &str) -> Shape {
    if text.starts_with("Map<") || text.starts_with("Promise<") {
        return Shape::Named(text.to_owned());
    }
    Shape::parse(text)
}
