//! Writes the plan of one program into a folder and prints its command, for trying the emitter
//! without the runner: `rewrite FILE FOLDER [CHANNEL] [DETAIL]`.

use std::io::Write as _;
use std::path::Path;

use tracer_instrument::{Found, Options, PlanRequest, PlanSource, instrument};
use tracer_lang_python::SPEC;
use tracer_model::{Budget, Detail};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let path = std::path::absolute(&args[1]).expect("a path");
    let detail = match args.get(4).map(String::as_str) {
        Some("calls") => Detail::Calls,
        Some("lines") => Detail::Lines,
        Some("full") => Detail::Full,
        _ => Detail::State,
    };
    let source = std::fs::read(&path).expect("a readable file");
    let mut paths = vec![path.clone()];
    let tree = tracer_instrument::engine::parse(&SPEC, &source).expect("a tree");
    if let Some(modules) = SPEC.local_modules {
        paths.extend(modules(&tree, &source, &path, &|p: &Path| p.is_file()));
    }
    let (mut site, mut function) = (1, 0);
    let mut texts = Vec::new();
    for (file, path) in paths.iter().enumerate() {
        let source = std::fs::read(path).expect("a readable file");
        let options = Options {
            detail,
            file: file as u32,
            first_site: site,
            first_function: function,
        };
        let done = instrument(&SPEC, &source, &options).expect("an instrumented file");
        assert_eq!(
            tracer_instrument::strip(&done.rewritten),
            source,
            "reversible"
        );
        site += done.sites.len() as u32;
        function += done.functions.len() as u32;
        texts.push(done);
    }
    let sources: Vec<_> = paths
        .iter()
        .zip(&texts)
        .map(|(path, done)| PlanSource {
            path,
            instrumented: Some(&done.rewritten.text),
            insertions: &done.rewritten.insertions,
        })
        .collect();
    let found = Found {
        program: std::env::var_os("PYTHON")
            .unwrap_or("python3".into())
            .into(),
        version: String::new(),
        roots: Vec::new(),
    };
    let private = Path::new(&args[2]);
    let plan = (SPEC.toolchain.plan)(&PlanRequest {
        found: &found,
        sources: &sources,
        given: Path::new(&args[1]),
        args: &[],
        traced: true,
        private,
        build: private,
        channel: args.get(3).and_then(|n| n.parse().ok()).unwrap_or(50),
        detail,
        budget: &Budget::default(),
        compiler_flags: &[],
    });
    for (path, contents) in &plan.files {
        std::fs::write(path, contents).expect("a writable folder");
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{site}").expect("stdout");
    for word in &plan.argv {
        writeln!(out, "{}", word.to_string_lossy()).expect("stdout");
    }
}
