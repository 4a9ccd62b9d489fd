//! Network namespaces are used again, and never tell of an earlier use.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)] // tests say why they skip

mod common;

use std::collections::BTreeSet;

use common::{outcome, shell, text};

/// What a program can learn of its network; some of `sockstat` is the whole machine's.
const LOOK: &str = "cd /proc/self/net && sed 's/ alloc .*//; s/ mem .*//' sockstat && \
    cat sockstat6 snmp snmp6 netstat dev unix tcp udp";

const TALK: &str = r#"python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"for the next one")
mail = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mail.bind(("127.0.0.1", 5555))
mail.sendto(b"too", mail.getsockname())
print("talked")
'"#;

const LOST: &str = r#"python3 -c '
import socket
mail = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: mail.sendto(b"nowhere", ("192.0.2.1", 9))
except OSError: print("lost")
'"#;

#[test]
fn an_earlier_use_does_not_show() {
    let Some(first) = outcome(&shell(LOOK)) else {
        return;
    };
    let new = text(&first.stdout);
    assert!(new.contains("Forwarding"), "{new}");
    for (script, said) in [(TALK, "talked\n"), (LOST, "lost\n"), ("true", "")] {
        for _ in 0..4 {
            let used = outcome(&shell(script)).unwrap();
            assert_eq!(text(&used.stdout), said, "{}", text(&used.stderr));
            let next = outcome(&shell(LOOK)).unwrap();
            assert_eq!(text(&next.stdout), new, "after {script}");
        }
    }
}

#[test]
fn what_nobody_used_is_used_again() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: what_nobody_used_is_used_again: only root may enter namespaces");
        return;
    }
    let name = || {
        let found = outcome(&shell("readlink /proc/self/ns/net"))?;
        Some(text(&found.stdout))
    };
    let names: BTreeSet<_> = (0..12).filter_map(|_| name()).collect();
    // The other test may take one in between, and dirty it.
    assert!(names.len() < 12, "{names:?}");
}
