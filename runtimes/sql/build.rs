//! Refuses to build against an engine without the hooks that this crate reports from.

const NEEDED: [&str; 2] = [
    "SQLITE_ENABLE_PREUPDATE_HOOK",
    "SQLITE_ENABLE_STMT_SCANSTATUS",
];

fn main() {
    println!("cargo:rerun-if-env-changed=LIBSQLITE3_FLAGS");
    let flags = std::env::var("LIBSQLITE3_FLAGS").unwrap_or_default();
    for needed in NEEDED {
        assert!(
            flags.contains(needed),
            "LIBSQLITE3_FLAGS must hold {needed}: .cargo/config.toml of this workspace sets it"
        );
    }
}
