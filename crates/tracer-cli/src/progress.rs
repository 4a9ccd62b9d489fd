//! Shows how far long work is: a bar on a terminal, a line a step elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tracer_engine::images::Progress;

use crate::printer::Printer;

/// Redrawn this often.
const TICK: Duration = Duration::from_millis(120);

/// One piece of long work.
pub(crate) struct Bar<'p> {
    printer: &'p Printer,
    drawn: ProgressBar,
    measured: AtomicBool,
    start: Instant,
}

impl<'p> Bar<'p> {
    pub(crate) fn new(printer: &'p Printer) -> Self {
        let bar = if printer.progress() {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(TICK);
            bar
        } else {
            ProgressBar::hidden()
        };
        Self {
            printer,
            drawn: bar,
            measured: AtomicBool::new(false),
            start: Instant::now(),
        }
    }

    /// Clears it; how long the work took.
    pub(crate) fn finish(&self) -> Duration {
        self.drawn.finish_and_clear();
        self.start.elapsed()
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.drawn.set_style(style);
        }
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

impl Progress for Bar<'_> {
    fn step(&self, subject: &str, what: &str) {
        self.measured.store(false, Ordering::Relaxed);
        self.style("{spinner} {prefix}: {msg} ({elapsed})");
        self.drawn.set_prefix(subject.to_owned());
        self.drawn.set_message(what.to_owned());
        if !self.printer.progress() {
            self.printer.say(&format!("{subject}: {what}"));
        }
    }

    fn bytes(&self, done: u64, total: u64) {
        if !self.measured.swap(true, Ordering::Relaxed) {
            self.style("{spinner} {prefix}: {msg} {wide_bar} {bytes}/{total_bytes}");
        }
        self.drawn.set_length(total);
        self.drawn.set_position(done);
    }

    fn note(&self, text: &str) {
        self.drawn
            .suspend(|| self.printer.say(&format!("tracer: {text}")));
    }
}
