//! Where the runner stands in the cgroup hierarchies. Makes no groups.

use std::fs;
use std::path::{Path, PathBuf};

/// Where groups can be made: one v1 hierarchy per controller, and the v2 tree.
#[derive(Debug, Default)]
pub(crate) struct Homes {
    pub(crate) memory: Option<PathBuf>,
    pub(crate) pids: Option<PathBuf>,
    pub(crate) cpuacct: Option<PathBuf>,
    pub(crate) unified: Option<PathBuf>,
    pub(crate) unified_root: PathBuf,
}

/// The runner's own groups, from `/proc/self/mountinfo` and `/proc/thread-self/cgroup`.
pub(crate) fn homes() -> Homes {
    let mut homes = Homes::default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let groups = fs::read_to_string("/proc/thread-self/cgroup").unwrap_or_default();
    for mount in mounts.lines() {
        // See proc_pid_mountinfo(5): fields, a lone dash, then type, source, super options.
        let Some((head, tail)) = mount.split_once(" - ") else {
            continue;
        };
        let head: Vec<&str> = head.split(' ').collect();
        let tail: Vec<&str> = tail.split(' ').collect();
        let ([_, _, _, root, point, ..], [kind, _, options]) = (&head[..], &tail[..]) else {
            continue;
        };
        let own = |controller: &str| {
            groups.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let (names, path) = (fields.next()?, fields.next()?);
                let matches = names.split(',').any(|name| name == controller);
                // The mount may show only a part of the hierarchy, as in a container.
                let path = path.strip_prefix(root.trim_end_matches('/'))?;
                matches.then(|| Path::new(point).join(path.trim_start_matches('/')))
            })
        };
        match *kind {
            "cgroup2" => {
                homes.unified = own("");
                homes.unified_root = PathBuf::from(point);
            }
            "cgroup" => {
                for option in options.split(',') {
                    match option {
                        "memory" => homes.memory = own(option),
                        "pids" => homes.pids = own(option),
                        "cpuacct" => homes.cpuacct = own(option),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    homes
}
