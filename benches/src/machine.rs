//! What the figures were taken on.

use crate::report::Report;

/// Writes one paragraph about processor, kernel and load.
pub(crate) fn describe(report: &mut Report) {
    report.begin("machine");
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown");
    report.say(&format!(
        "{model}, {cores} cores, Linux {}; load {load} when it began.",
        kernel.trim()
    ));
    report.end();
}
