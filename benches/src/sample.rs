//! Timing of variants in turns.
//!
//! Wall time is what a user waits for; processor time is steadier on a busy machine. Both are
//! kept. The minimum is the figure least disturbed by others; the median says how far to trust it.

use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What one repetition of a variant took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Seconds that passed.
    pub(crate) wall: f64,
    /// Processor seconds, user and system, of this process and the children it waited for.
    pub(crate) cpu: f64,
}

/// A thing to time.
pub(crate) struct Variant<'a> {
    /// What it is, for the table.
    pub(crate) name: String,
    /// Runs it once and says what that took.
    pub(crate) run: Box<dyn FnMut() -> anyhow::Result<Cost> + 'a>,
    /// Repetitions, where they differ from the measurement's.
    pub(crate) rounds: Option<usize>,
}

impl<'a> Variant<'a> {
    /// A variant timed from outside.
    pub(crate) fn new(
        name: impl Into<String>,
        mut run: impl FnMut() -> anyhow::Result<()> + 'a,
    ) -> Self {
        Self::timing_itself(name, move || timed(&mut run))
    }

    /// A variant that knows better which part of it counts.
    pub(crate) fn timing_itself(
        name: impl Into<String>,
        run: impl FnMut() -> anyhow::Result<Cost> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
            rounds: None,
        }
    }

    /// Repeats it at most this often: for what takes very long.
    pub(crate) fn at_most(mut self, rounds: usize) -> Self {
        self.rounds = Some(rounds);
        self
    }
}

/// All repetitions of a variant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) name: String,
    costs: Vec<Cost>,
}

impl Sample {
    /// Least wall time, seconds.
    pub(crate) fn least(&self) -> f64 {
        self.costs
            .iter()
            .map(|cost| cost.wall)
            .fold(f64::INFINITY, f64::min)
    }

    /// Median wall time, seconds.
    pub(crate) fn median(&self) -> f64 {
        middle(self.costs.iter().map(|cost| cost.wall).collect())
    }

    /// Least processor time, seconds.
    pub(crate) fn least_cpu(&self) -> f64 {
        self.costs
            .iter()
            .map(|cost| cost.cpu)
            .fold(f64::INFINITY, f64::min)
    }

    /// Median processor time, seconds.
    pub(crate) fn median_cpu(&self) -> f64 {
        middle(self.costs.iter().map(|cost| cost.cpu).collect())
    }

    /// The sample without what `idle` took: start and end of the same process without the work.
    /// The least is taken off, since it is what cannot be avoided.
    pub(crate) fn without(&self, idle: &Sample) -> Sample {
        let (wall, cpu) = (idle.least(), idle.least_cpu());
        let costs = self.costs.iter().map(|cost| Cost {
            wall: (cost.wall - wall).max(0.0),
            cpu: (cost.cpu - cpu).max(0.0),
        });
        Sample {
            name: self.name.clone(),
            costs: costs.collect(),
        }
    }

    /// The sample for a share of the work.
    pub(crate) fn per(&self, units: f64) -> Sample {
        let costs = self.costs.iter().map(|cost| Cost {
            wall: cost.wall / units,
            cpu: cost.cpu / units,
        });
        Sample {
            name: self.name.clone(),
            costs: costs.collect(),
        }
    }
}

/// Runs the variants in turns, after one repetition of each that does not count.
pub(crate) fn interleave(
    rounds: usize,
    mut variants: Vec<Variant<'_>>,
) -> anyhow::Result<Vec<Sample>> {
    let mut samples: Vec<Sample> = Vec::new();
    for variant in &mut variants {
        if variant.rounds.is_none() {
            (variant.run)()?;
        }
        samples.push(Sample {
            name: variant.name.clone(),
            costs: Vec::new(),
        });
    }
    for round in 0..rounds {
        for (variant, sample) in variants.iter_mut().zip(&mut samples) {
            if variant.rounds.is_none_or(|most| round < most) {
                sample.costs.push((variant.run)()?);
            }
        }
    }
    Ok(samples)
}

/// Times one call.
pub(crate) fn timed(run: &mut dyn FnMut() -> anyhow::Result<()>) -> anyhow::Result<Cost> {
    let (cpu, start) = (processor_time()?, Instant::now());
    run()?;
    let wall = start.elapsed();
    Ok(Cost {
        wall: wall.as_secs_f64(),
        cpu: processor_time()?.saturating_sub(cpu).as_secs_f64(),
    })
}

fn processor_time() -> anyhow::Result<Duration> {
    let mut sum = 0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage: Usage = getrusage(who)?;
        sum += usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    }
    Ok(Duration::from_micros(sum.unsigned_abs()))
}

/// The middle one; the mean of the two middle ones if there is none.
pub(crate) fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => numbers[half],
        _ => f64::midpoint(numbers[half - 1], numbers[half]),
    }
}
