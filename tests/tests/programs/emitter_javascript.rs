//! Runs the JavaScript emitter's own test (`runtimes/javascript/emitter.test.cjs`), in the sandbox.
#![expect(clippy::print_stderr, reason = "a skip is said")]

use tracer_engine::{find_toolchain, languages};
use tracer_model::End;
use tracer_sandbox::{Access, Folder, Request};
use tracer_tests::repository;

#[test]
fn the_emitter_passes_its_own_test() {
    let found = match find_toolchain(languages::by_name("javascript").unwrap()) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let folder = repository()
        .join("runtimes/javascript")
        .canonicalize()
        .unwrap();
    let file = folder.join("emitter.test.cjs");
    let mut request = Request::new(&found.program, &folder);
    request.argv = [&found.program, &file]
        .map(|path| path.as_os_str().into())
        .to_vec();
    request.env = vec![
        ("LANG".into(), "C.UTF-8".into()),
        ("TMPDIR".into(), "/tmp".into()),
    ];
    request.roots = found.roots.clone();
    request.folders = vec![Folder {
        path: folder.clone(),
        access: Access::Overlay,
    }];
    let finished = tracer_sandbox::run(&request).unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&finished.stdout),
        String::from_utf8_lossy(&finished.stderr),
    );
    assert!(
        matches!(finished.outcome.end, End::Exited { code: 0 }) && out.contains("# fail 0"),
        "{out}{error}"
    );
    assert!(out.contains("# pass 6"), "{out}");
}
