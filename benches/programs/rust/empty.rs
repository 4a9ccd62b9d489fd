//! Nothing: what starting and ending cost.

fn main() {}
