//! Has the crate compiled anew when a declaration changes: what `include_dir!` reads, cargo does not
//! see by itself. Nothing is generated here.

fn main() {
    println!("cargo::rerun-if-changed=../../sandbox-images");
}
