//! `tracer-sql`: the runner as a program of its own, for embedders that are no program themselves.

fn main() {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == tracer_runtime_sql::RUNNER)
    {
        arguments.remove(0);
    }
    std::process::exit(tracer_runtime_sql::main(arguments));
}
