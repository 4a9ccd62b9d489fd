//! Prints the imports of files, one a line: `language origin kind name file:line`. For looking at
//! how well corpora resolve; it does not say what layers provide.

use std::io::Write;
use std::path::Path;

use tracer_libraries::{Around, classify};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for path in std::io::stdin().lines() {
        let path = std::path::absolute(path?)?;
        let Ok(source) = std::fs::read(&path) else {
            continue;
        };
        let Some(spec) = tracer_languages::detect(&path, &source) else {
            continue;
        };
        let around = Around {
            path: &path,
            exists: &Path::exists,
            read: &|path| std::fs::read(path).ok(),
        };
        let shown = path.display();
        match classify(spec, &source, &around) {
            Ok(needs) if needs.imports.is_empty() => {
                writeln!(out, "{}\tnone\t\t\t{shown}", spec.id)?;
            }
            Ok(needs) => {
                for each in needs.imports {
                    let (kind, name, line) = (each.import.kind, each.import.name, each.import.line);
                    let origin = each.origin;
                    writeln!(
                        out,
                        "{}\t{origin:?}\t{kind:?}\t{name}\t{shown}:{line}",
                        spec.id
                    )?;
                }
            }
            Err(error) => writeln!(out, "{}\terror\t\t{error}\t{shown}", spec.id)?,
        }
    }
    Ok(())
}
