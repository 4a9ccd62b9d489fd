//! Java programs that are more than a file: packages in folders, build tools' layouts, resources,
//! and libraries on a class path run as `javac` and `java` run them, and all their files report.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use tracer_engine::{CheckOptions, ProgramOptions, RunOptions, Status, check_file, trace};
use tracer_model::{End, Trace};
use tracer_tests::{runnable, settings};

const PROJECT: [(&str, &str); 6] = [
    (
        "src/main/java/org/demo/App.java",
        "package org.demo;\n\nimport static org.demo.text.Text.loud;\nimport java.io.*;\n\n\
         public class App {\n    public static void main(String[] args) throws IOException {\n        \
         System.out.println(loud(new Helper().name()) + org.demo.text.Plain.ten());\n        \
         InputStream words = App.class.getResourceAsStream(\"words.txt\");\n        \
         System.out.println(new BufferedReader(new InputStreamReader(words)).readLine());\n    }\n}\n",
    ),
    (
        "src/main/java/org/demo/Helper.java",
        "package org.demo;\n\nclass Helper {\n    String name() {\n        return \"n\";\n    }\n}\n",
    ),
    (
        "src/main/java/org/demo/text/Text.java",
        "package org.demo.text;\n\npublic class Text {\n    public static String loud(String s) {\n        \
         return s + \"!\";\n    }\n}\n",
    ),
    (
        "src/main/java/org/demo/text/Plain.java",
        "package org.demo.text;\n\npublic class Plain {\n    public static int ten() {\n        \
         return 10;\n    }\n}\n",
    ),
    ("src/main/resources/org/demo/words.txt", "from a resource\n"),
    (
        "src/test/java/org/demo/HelperTest.java",
        "package org.demo;\n\nclass HelperTest {\n    public static void main(String[] args) {\n        \
         System.out.println(new Helper().name());\n    }\n}\n",
    ),
];

fn lay_out(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn options(folder: &Path) -> RunOptions {
    RunOptions {
        program: ProgramOptions {
            folder: Some(folder.into()),
            ..ProgramOptions::default()
        },
        settings: settings(folder).unwrap(),
    }
}

/// Names of the files whose code reported.
fn reported(trace: &Trace) -> BTreeSet<&str> {
    let sites = trace
        .events
        .iter()
        .filter_map(|event| trace.table.site(event.site));
    sites
        .map(|site| trace.table.files[site.file as usize].path.as_str())
        .map(|path| path.rsplit('/').next().unwrap())
        .collect()
}

#[test]
fn a_project_runs_from_any_folder_and_all_its_files_report() {
    if runnable("java").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &PROJECT);
    let main = folder.path().join(PROJECT[0].0);
    for cwd in [folder.path(), main.parent().unwrap()] {
        let recorded = trace(&main, &options(cwd)).unwrap();
        let trace = &recorded.trace;
        assert_eq!(trace.outcome.end, End::Exited { code: 0 }, "{trace:?}");
        let all = ["App.java", "Helper.java", "Plain.java", "Text.java"];
        assert_eq!(reported(trace), BTreeSet::from(all));
    }
    let test = folder.path().join(PROJECT[5].0);
    let checked = check_file(
        &test,
        &CheckOptions {
            run: options(test.parent().unwrap()),
        },
    );
    assert_eq!(checked.status, Status::Same, "{}", checked.detail);
}

#[test]
fn a_library_on_the_class_path_is_found() {
    if runnable("java").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let library = "package extra;\n\npublic class Extra {\n    public static int three() {\n        \
                   return 3;\n    }\n}\n";
    lay_out(other.path(), &[("extra/Extra.java", library)]);
    let main = "class Uses {\n    public static void main(String[] args) {\n        \
                int n = extra.Extra.three();\n        System.out.println(n);\n    }\n}\n";
    lay_out(folder.path(), &[("Uses.java", main)]);
    let mut options = options(folder.path());
    let path = folder.path().join("Uses.java");
    let refused = trace(&path, &options).unwrap();
    assert!(matches!(refused.trace.outcome.end, End::BuildFailed { .. }));
    options.settings.compiler_flags = vec!["-cp".into(), other.path().into()];
    let recorded = trace(&path, &options).unwrap();
    assert_eq!(recorded.trace.outcome.end, End::Exited { code: 0 });
}
