//! `cargo bench -p tracer-benches`: all measurements. See `README.md`.

fn main() -> anyhow::Result<()> {
    tracer_benches::run(std::env::args().skip(1))
}
