//! Every language's queries fit its grammars.

use tree_sitter::Query;

#[test]
fn every_query_fits_its_grammars() {
    let mut errors = Vec::new();
    for spec in tracer_languages::all() {
        let drive = match spec.drive {
            Ok(drive) => drive,
            Err(reason) => {
                assert!(!reason.is_empty(), "{} does not say why", spec.id);
                continue;
            }
        };
        for grammar in 0..=spec.other_grammars.len() {
            if let Err(error) = Query::new(&spec.language(grammar), drive.query) {
                errors.push(format!("{} (grammar {grammar}): {error}", spec.id));
            }
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
