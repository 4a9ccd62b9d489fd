//! Has the crate compiled anew when a declaration changes: what `include_dir!` reads, cargo does not
//! see by itself. Nothing is generated here.

#[expect(clippy::print_stdout, reason = "this is how cargo is told")]
fn main() {
    println!("cargo::rerun-if-changed=../../sandbox-images");
}
