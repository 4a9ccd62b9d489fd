//! Which system calls the program may make.
//!
//! An allow-list: what is not named answers `ENOSYS`, so that a libc falls back as it would on an
//! older kernel. What is refused on purpose answers `EPERM`. Calls of another architecture (i386
//! through `int 0x80`) kill the process; x32 numbers are not on the list.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libc::{c_long, sock_filter};

use crate::bpf::{Action, Check, Rule, assemble};
use crate::fault;
use crate::sys::{Errno, errno};
use crate::weaken::{Wall, Without};

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xC000_00B7;

macro_rules! calls {
    ($($name:ident)*) => { &[$((libc::$name)),*] };
}

/// Allowed whatever the arguments.
#[rustfmt::skip]
const ALLOWED: &[c_long] = calls![
    // files
    SYS_read SYS_write SYS_pread64 SYS_pwrite64 SYS_readv SYS_writev SYS_preadv SYS_pwritev
    SYS_preadv2 SYS_pwritev2 SYS_close SYS_close_range SYS_openat SYS_openat2 SYS_lseek SYS_fstat
    SYS_newfstatat SYS_statx SYS_statfs SYS_fstatfs SYS_faccessat SYS_faccessat2 SYS_fcntl SYS_flock
    SYS_fsync SYS_fdatasync SYS_sync_file_range SYS_ftruncate SYS_truncate SYS_fallocate
    SYS_fadvise64 SYS_readahead SYS_getdents64 SYS_getcwd SYS_chdir SYS_fchdir SYS_renameat
    SYS_renameat2 SYS_mkdirat SYS_linkat SYS_symlinkat SYS_unlinkat SYS_readlinkat SYS_fchmod
    SYS_fchmodat SYS_fchmodat2 SYS_fchown SYS_fchownat SYS_umask SYS_utimensat SYS_mknodat SYS_dup SYS_dup3
    SYS_pipe2 SYS_sendfile SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range SYS_memfd_create
    SYS_getxattr SYS_lgetxattr SYS_fgetxattr SYS_setxattr SYS_lsetxattr SYS_fsetxattr
    SYS_listxattr SYS_llistxattr SYS_flistxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr
    SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch
    SYS_landlock_create_ruleset SYS_landlock_add_rule SYS_landlock_restrict_self
    // waiting
    SYS_ppoll SYS_pselect6 SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2
    SYS_eventfd2 SYS_signalfd4 SYS_timerfd_create SYS_timerfd_settime SYS_timerfd_gettime
    SYS_nanosleep SYS_clock_nanosleep SYS_futex SYS_futex_waitv SYS_restart_syscall
    // memory
    SYS_mmap SYS_munmap SYS_mremap SYS_mprotect SYS_madvise SYS_msync SYS_mincore SYS_brk
    SYS_mlock SYS_mlock2 SYS_munlock SYS_mlockall SYS_munlockall SYS_membarrier SYS_mbind
    SYS_get_mempolicy SYS_set_mempolicy SYS_pkey_alloc SYS_pkey_free SYS_pkey_mprotect SYS_mseal
    // processes
    SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_wait4 SYS_waitid SYS_getpid SYS_getppid
    SYS_gettid SYS_getpgid SYS_setpgid SYS_getsid SYS_setsid SYS_set_tid_address
    SYS_set_robust_list SYS_get_robust_list SYS_rseq SYS_pidfd_open SYS_pidfd_send_signal SYS_kill SYS_tkill
    SYS_tgkill SYS_getuid SYS_geteuid SYS_getgid SYS_getegid SYS_getresuid SYS_getresgid
    SYS_getgroups SYS_setuid SYS_setgid SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid
    SYS_setgroups SYS_setfsuid SYS_setfsgid SYS_capget SYS_capset SYS_getrusage SYS_times SYS_prlimit64
    SYS_getrlimit SYS_setrlimit SYS_getpriority SYS_setpriority SYS_sched_yield SYS_getcpu
    SYS_sched_getaffinity SYS_sched_setaffinity SYS_sched_getparam SYS_sched_setparam
    SYS_sched_getscheduler SYS_sched_setscheduler SYS_sched_get_priority_max
    SYS_sched_get_priority_min SYS_sched_rr_get_interval SYS_sched_getattr SYS_sched_setattr
    SYS_ioprio_get SYS_ioprio_set SYS_prctl SYS_seccomp SYS_uname SYS_sysinfo SYS_getrandom
    // signals
    SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigreturn SYS_rt_sigpending SYS_rt_sigsuspend
    SYS_rt_sigtimedwait SYS_rt_sigqueueinfo SYS_rt_tgsigqueueinfo SYS_sigaltstack
    // time
    SYS_clock_gettime SYS_clock_getres SYS_gettimeofday SYS_getitimer SYS_setitimer
    SYS_timer_create SYS_timer_settime SYS_timer_gettime SYS_timer_getoverrun SYS_timer_delete
    // sockets (`socket` itself is checked) and System V, POSIX message passing
    SYS_socketpair SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_connect SYS_getsockname
    SYS_getpeername SYS_sendto SYS_recvfrom SYS_sendmsg SYS_recvmsg SYS_sendmmsg SYS_recvmmsg
    SYS_shutdown SYS_getsockopt SYS_setsockopt SYS_shmget SYS_shmat SYS_shmdt SYS_shmctl
    SYS_semget SYS_semop SYS_semtimedop SYS_semctl SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl
    SYS_mq_open SYS_mq_unlink SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify SYS_mq_getsetattr
];

/// Allowed above, but not to a trusted run: no toolchain needs them.
#[rustfmt::skip]
const COMPAT_ONLY: &[c_long] = calls![
    SYS_mknodat SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range SYS_sync_file_range
    SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr
    SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch
    SYS_landlock_create_ruleset SYS_landlock_add_rule SYS_landlock_restrict_self SYS_seccomp
    SYS_mlock SYS_mlock2 SYS_mlockall SYS_mbind SYS_set_mempolicy
    SYS_setpriority SYS_ioprio_set SYS_sched_setaffinity
    SYS_sched_setattr SYS_execveat SYS_sendmmsg
    SYS_recvmmsg SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_semget SYS_semop SYS_semtimedop
    SYS_semctl SYS_mq_open SYS_mq_unlink SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify
    SYS_mq_getsetattr
];
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const COMPAT_ONLY_LEGACY: &[c_long] = calls![SYS_mknod SYS_inotify_init];
#[cfg(not(target_arch = "x86_64"))]
const COMPAT_ONLY_LEGACY: &[c_long] = &[];

/// The older forms that only x86 has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_LEGACY: &[c_long] = calls![
    SYS_open SYS_creat SYS_stat SYS_lstat SYS_access SYS_readlink SYS_rename SYS_mkdir SYS_rmdir
    SYS_link SYS_unlink SYS_symlink SYS_chmod SYS_chown SYS_lchown SYS_mknod SYS_utime SYS_utimes
    SYS_futimesat SYS_getdents SYS_dup2 SYS_pipe SYS_poll SYS_select SYS_epoll_create
    SYS_epoll_wait SYS_eventfd SYS_signalfd SYS_inotify_init SYS_fork SYS_vfork
    SYS_getpgrp SYS_pause SYS_alarm SYS_time SYS_arch_prctl
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_LEGACY: &[c_long] = &[];

/// Refused with `EPERM`, as for a user without the privilege.
#[rustfmt::skip]
const REFUSED: &[c_long] = calls![
    SYS_mount SYS_umount2 SYS_pivot_root SYS_chroot SYS_move_mount SYS_open_tree SYS_fsopen SYS_fsconfig
    SYS_fsmount SYS_fspick SYS_mount_setattr SYS_setns SYS_unshare SYS_bpf SYS_perf_event_open
    SYS_userfaultfd SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_keyctl
    SYS_add_key SYS_request_key SYS_kexec_load SYS_init_module SYS_finit_module SYS_delete_module
    SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_kcmp SYS_pidfd_getfd SYS_reboot
    SYS_swapon SYS_swapoff SYS_quotactl SYS_quotactl_fd SYS_acct SYS_settimeofday SYS_clock_settime SYS_clock_adjtime
    SYS_adjtimex SYS_sethostname SYS_setdomainname SYS_syslog SYS_vhangup SYS_name_to_handle_at
    SYS_open_by_handle_at SYS_fanotify_init SYS_fanotify_mark SYS_move_pages SYS_migrate_pages
    SYS_memfd_secret SYS_io_setup
];

/// What the refusals are for.
#[rustfmt::skip]
const GROUPS: &[(Wall, &[c_long])] = &[
    (Wall::SeccompNamespaces, calls![SYS_clone SYS_clone3 SYS_unshare SYS_setns]),
    (Wall::SeccompMounts, calls![
        SYS_mount SYS_umount2 SYS_pivot_root SYS_chroot SYS_move_mount SYS_open_tree SYS_fsopen
        SYS_fsconfig SYS_fsmount SYS_fspick SYS_mount_setattr SYS_name_to_handle_at
        SYS_open_by_handle_at
    ]),
    (Wall::SeccompTracing, calls![
        SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_kcmp SYS_pidfd_getfd
    ]),
    (Wall::SeccompKernel, calls![
        SYS_bpf SYS_perf_event_open SYS_userfaultfd SYS_io_uring_setup SYS_io_uring_enter
        SYS_io_uring_register SYS_keyctl SYS_add_key SYS_request_key SYS_kexec_load SYS_init_module
        SYS_finit_module SYS_delete_module SYS_reboot SYS_swapon SYS_swapoff SYS_quotactl
        SYS_quotactl_fd SYS_acct SYS_settimeofday SYS_clock_settime SYS_clock_adjtime SYS_adjtimex
        SYS_sethostname SYS_setdomainname SYS_syslog SYS_vhangup SYS_fanotify_init SYS_fanotify_mark
        SYS_move_pages SYS_migrate_pages SYS_memfd_secret SYS_io_setup
    ]),
    (Wall::SeccompSockets, calls![SYS_socket]),
    (Wall::SeccompIoctl, calls![SYS_ioctl]),
    (Wall::SeccompPersonality, calls![SYS_personality]),
    (Wall::SeccompSync, calls![SYS_sync SYS_syncfs]),
];

/// Every namespace flag of `clone`. The time namespace's shares a bit with the exit signal there.
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;

const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541C;
const TIOCCONS: u32 = 0x541D;
const TIOCSETD: u32 = 0x5423;

fn rules() -> BTreeMap<u32, Rule> {
    const EPERM: Action = Action::Errno(libc::EPERM as u16);
    let mut rules: BTreeMap<u32, Rule> = BTreeMap::new();
    for number in ALLOWED.iter().chain(ALLOWED_LEGACY) {
        rules.insert(*number as u32, Action::Allow.into());
    }
    for number in REFUSED {
        rules.insert(*number as u32, EPERM.into());
    }
    let mut checked = |number: c_long, check: Check, action: Action| {
        rules.insert(
            number as u32,
            Rule {
                checks: vec![(check, action)],
                otherwise: Action::Allow,
            },
        );
    };
    checked(libc::SYS_clone, Check::AnyBit(0, NAMESPACES), EPERM);
    checked(
        libc::SYS_ioctl,
        Check::OneOf(1, vec![TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD]),
        EPERM,
    );
    // Only what a program may undo: the default, no randomisation, and asking.
    checked(
        libc::SYS_personality,
        Check::NoneOf(0, vec![0, libc::ADDR_NO_RANDOMIZE as u32, u32::MAX]),
        EPERM,
    );
    let families = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_NETLINK,
    ];
    rules.insert(
        libc::SYS_socket as u32,
        Rule {
            checks: vec![
                (
                    Check::NoneOf(0, families.map(|family| family as u32).to_vec()),
                    Action::Errno(libc::EAFNOSUPPORT as u16),
                ),
                (
                    Check::NoneOf(0, vec![libc::AF_NETLINK as u32]),
                    Action::Allow,
                ),
                // Of netlink only the routing family, which `getifaddrs` needs.
                (
                    Check::NoneOf(2, vec![libc::NETLINK_ROUTE as u32]),
                    Action::Errno(libc::EPROTONOSUPPORT as u16),
                ),
            ],
            otherwise: Action::Allow,
        },
    );
    // Flags of clone3 are behind a pointer; libc falls back to clone.
    rules.insert(
        libc::SYS_clone3 as u32,
        Action::Errno(libc::ENOSYS as u16).into(),
    );
    // Flushing every disk of the host is nobody's right, and nothing to fail over.
    for number in [libc::SYS_sync, libc::SYS_syncfs] {
        rules.insert(number as u32, Action::Errno(0).into());
    }
    rules
}

/// For runs that get no more than toolchains need: no sockets but local ones.
fn trusted_only(mut rules: BTreeMap<u32, Rule>) -> BTreeMap<u32, Rule> {
    for number in COMPAT_ONLY.iter().chain(COMPAT_ONLY_LEGACY) {
        rules.remove(&(*number as u32));
    }
    let local = Check::NoneOf(0, vec![libc::AF_UNIX as u32]);
    rules.insert(
        libc::SYS_socket as u32,
        Rule {
            checks: vec![(local, Action::Errno(libc::EAFNOSUPPORT as u16))],
            otherwise: Action::Allow,
        },
    );
    rules
}

/// Set-user-ID and set-group-ID bits.
const SUID: u32 = libc::S_ISUID | libc::S_ISGID;

/// Which argument of a call is a mode, and which says whether the call makes a file at all.
#[rustfmt::skip]
const MODES: &[(c_long, usize, Option<usize>)] = &[
    (libc::SYS_fchmod, 1, None), (libc::SYS_fchmodat, 2, None), (libc::SYS_fchmodat2, 2, None),
    (libc::SYS_mkdirat, 2, None), (libc::SYS_mknodat, 2, None), (libc::SYS_openat, 3, Some(2)),
    #[cfg(target_arch = "x86_64")] (libc::SYS_chmod, 1, None),
    #[cfg(target_arch = "x86_64")] (libc::SYS_mkdir, 1, None),
    #[cfg(target_arch = "x86_64")] (libc::SYS_mknod, 1, None),
    #[cfg(target_arch = "x86_64")] (libc::SYS_creat, 1, None),
    #[cfg(target_arch = "x86_64")] (libc::SYS_open, 2, Some(1)),
];

/// For programs that write to the host's own folders: what they make there belongs to the runner's
/// user, and must not carry that user's rights to others.
fn without_suid(mut rules: BTreeMap<u32, Rule>) -> BTreeMap<u32, Rule> {
    for &(number, mode, flags) in MODES {
        let mut checks = Vec::new();
        if let Some(flags) = flags {
            // Without these the mode is whatever the register held.
            let makes = libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY);
            checks.push((Check::NoBit(flags, makes as u32), Action::Allow));
        }
        checks.push((Check::AnyBit(mode, SUID), Action::Errno(libc::EPERM as u16)));
        rules.insert(
            number as u32,
            Rule {
                checks,
                otherwise: Action::Allow,
            },
        );
    }
    // Its mode is behind a pointer; callers fall back to openat.
    rules.insert(
        libc::SYS_openat2 as u32,
        Action::Errno(libc::ENOSYS as u16).into(),
    );
    rules
}

/// The filter, assembled once; `writable` for programs that write to the host's own folders,
/// `trusted` for the profile.
pub(crate) fn filter(writable: bool, trusted: bool, without: Without) -> &'static [sock_filter] {
    static FILTERS: [OnceLock<Vec<sock_filter>>; 4] = [const { OnceLock::new() }; 4];
    if without != Without::default() {
        return weakened(writable, without);
    }
    FILTERS[usize::from(writable) + 2 * usize::from(trusted)].get_or_init(|| {
        let mut rules = rules();
        if writable {
            rules = without_suid(rules);
        }
        if trusted {
            rules = trusted_only(rules);
        }
        assemble(
            ARCH,
            &rules,
            Action::Errno(libc::ENOSYS as u16),
            Action::Kill,
        )
    })
}

/// The filter with some of its rules lifted, none at all without [`Wall::Seccomp`]. Leaks it: only
/// tests ask.
fn weakened(writable: bool, without: Without) -> &'static [sock_filter] {
    if !without.stands(Wall::Seccomp) {
        return &[];
    }
    let suid = writable && without.stands(Wall::SeccompSuid);
    let mut rules = if suid { without_suid(rules()) } else { rules() };
    for (wall, numbers) in GROUPS {
        if !without.stands(*wall) {
            rules.extend(
                numbers
                    .iter()
                    .map(|number| (*number as u32, Action::Allow.into())),
            );
        }
    }
    let unless = |wall, action| {
        if without.stands(wall) {
            action
        } else {
            Action::Allow
        }
    };
    assemble(
        ARCH,
        &rules,
        unless(Wall::SeccompUnknown, Action::Errno(libc::ENOSYS as u16)),
        unless(Wall::SeccompForeign, Action::Kill),
    )
    .leak()
}

/// Puts the filter in force for the calling thread and what it starts. Does not allocate once
/// [`filter`] has been called in the parent.
pub(crate) fn install(filter: &[sock_filter]) -> Result<(), Errno> {
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut(), // the kernel only reads it
    };
    fault::point()?;
    // SAFETY: the program outlives the call; NEW_LISTENER and TSYNC are not used.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &program,
        )
    };
    if result < 0 { Err(errno()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_both_allowed_and_refused() {
        for number in ALLOWED.iter().chain(ALLOWED_LEGACY) {
            assert!(!REFUSED.contains(number), "call {number} is on both lists");
        }
    }

    #[test]
    fn every_refusal_has_a_purpose() {
        for number in REFUSED {
            assert!(
                GROUPS.iter().any(|(_, calls)| calls.contains(number)),
                "call {number}"
            );
        }
    }

    #[test]
    fn filters_fit_the_kernel() {
        for (writable, trusted) in [(false, false), (true, false), (false, true), (true, true)] {
            let length = filter(writable, trusted, Without::default()).len();
            assert!(length < 4096, "{length} instructions");
        }
    }

    #[test]
    fn what_a_trusted_run_loses_is_what_others_have() {
        for number in COMPAT_ONLY.iter().chain(COMPAT_ONLY_LEGACY) {
            let had = ALLOWED.iter().chain(ALLOWED_LEGACY);
            assert!(
                had.clone().any(|allowed| allowed == number),
                "call {number}"
            );
        }
    }
}
