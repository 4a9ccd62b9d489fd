//! The command line as a user sees it: each `cli/*.trycmd` holds commands with their output and
//! exit status. `TRYCMD=overwrite` records them anew.
#![cfg(feature = "python")]

#[test]
fn commands_print_what_is_recorded() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("RUST_BACKTRACE", "0")
        .case("tests/cli/*.trycmd");
}
