//! What is around a program and may not show in what it does: seeds of hashes, time zone, locale,
//! process number, clocks, addresses. Varies them; judges nothing.

use tracer_languages::LanguageSpec;

use crate::Settings;

/// Runs in which everything is varied.
pub const ROUNDS: usize = 2;

/// Another place for programs that stand alone: the working folder is varied, too.
pub const ELSEWHERE: &str = "/srv/elsewhere/deeper/place";

/// Where things lie in memory.
pub const ADDRESSES: &str = "addresses";

/// One thing that is not the program's, and how it is changed in each round.
#[derive(Debug)]
pub struct Circumstance {
    /// Its name in reports.
    pub name: &'static str,
    vary: fn(&LanguageSpec, &mut Settings, usize),
}

impl Circumstance {
    /// Changes it. `round` is below [`ROUNDS`].
    pub fn vary(&self, spec: &LanguageSpec, settings: &mut Settings, round: usize) {
        (self.vary)(spec, settings, round);
    }
}

/// All of them but the working folder, which takes another program. The time of day is another in
/// each run by itself.
pub const CIRCUMSTANCES: &[Circumstance] = &[
    Circumstance {
        name: "hash_seed",
        vary: |spec, settings, round| {
            let seeds = spec.hash_seeds;
            if let Some((name, value)) = seeds.get(round % seeds.len().max(1)) {
                set(settings, &[name], value);
            }
        },
    },
    Circumstance {
        name: "time_zone",
        vary: |_, settings, round| set(settings, &["TZ"], ["IST-5:30", "NST3:30"][round % ROUNDS]),
    },
    Circumstance {
        name: "locale",
        vary: |_, settings, round| {
            set(
                settings,
                &["LANG", "LC_ALL"],
                ["C", "POSIX"][round % ROUNDS],
            );
        },
    },
    Circumstance {
        name: "process_id",
        vary: |_, settings, round| settings.earlier = [37, 5][round % ROUNDS],
    },
    Circumstance {
        name: "uptime",
        vary: |_, settings, round| settings.uptime = [98_765, 31][round % ROUNDS],
    },
    Circumstance {
        name: ADDRESSES,
        vary: |_, settings, _| settings.random_addresses = true,
    },
];

fn set(settings: &mut Settings, names: &[&str], value: &str) {
    for name in names {
        settings.env.retain(|(known, _)| known != name);
        settings.env.push((name.into(), value.into()));
    }
}

impl Settings {
    /// With everything varied at once.
    #[must_use]
    pub fn varied(&self, spec: &LanguageSpec, round: usize) -> Self {
        let mut settings = self.clone();
        for one in CIRCUMSTANCES {
            one.vary(spec, &mut settings, round);
        }
        settings
    }
}
