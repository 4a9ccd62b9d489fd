//! Java objects are told apart without the program noticing: the identity hashes that it prints are
//! those of the untraced run, and an object keeps its number while the collector moves it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use tracer_engine::run::execute;
use tracer_engine::{Program, ProgramOptions, RunOptions, choose_toolchain, trace};
use tracer_model::{Detail, Payload, Shape, Value};
use tracer_tests::{runnable, settings};

/// Prints hashes of objects that probes have seen, after classes that they load.
const HASHES: &str = r#"
import java.util.*;

class Main {
    static class Node { Node next; int n; }
    record Pair(int left, Object right) {}
    enum Colour { RED, GREEN }

    static Object make(int i) {
        Object o = new Object();
        return o;
    }

    public static void main(String[] args) throws Exception {
        System.out.println(new Object());
        Object[] all = new Object[5];
        for (int i = 0; i < 5; i++) {
            all[i] = make(i);
            System.out.println(all[i]);
        }
        Node n = new Node(), m = new Node();
        n.next = m;
        m.next = n;
        List<Object> list = new ArrayList<>(List.of(n, m, new int[3]));
        System.out.println(list);
        Map<Colour, Integer> counts = new HashMap<>();
        counts.put(Colour.RED, 1);
        System.out.println(counts + " " + Colour.RED.hashCode() + Main.class.hashCode());
        Pair pair = new Pair(1, new Object());
        System.out.println(pair.right());
        try {
            throw new IllegalStateException("wrong");
        } catch (IllegalStateException e) {
            System.out.println(e.hashCode());
        }
        System.out.println(Thread.currentThread().hashCode() + Objects.hash(n, new Object()));
        LAMBDA
    }
}
"#;

/// An object that moves from one part of the heap to another while it is seen again and again.
const MOVED: &str = r"
class Main {
    static class Node { Node next; int n; }

    public static void main(String[] args) {
        Node first = new Node();
        Node second = new Node();
        first.next = second;
        second.next = first;
        for (int i = 0; i < 4; i++) {
            System.gc();
            Node again = first;
            Node other = second;
        }
    }
}
";

fn write(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("Main.java");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn printed_hashes_are_those_of_the_untraced_run() {
    if runnable("java").is_none() {
        return;
    }
    for lambda in [
        "",
        "Runnable r = () -> System.out.println(new Object()); r.run(); System.out.println(new Object());",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &HASHES.replace("LAMBDA", lambda));
        let settings = settings(folder.path()).unwrap();
        let mut program = Program::load(&path, &ProgramOptions::default()).unwrap();
        let toolchain = choose_toolchain(&program, &settings).unwrap();
        let mut run = |detail| {
            let done = execute(&mut program, &toolchain, &settings, detail).unwrap();
            String::from_utf8(done.stdout).unwrap()
        };
        let plain = run(None);
        assert_eq!(plain, run(Some(Detail::State)), "{lambda}");
    }
}

/// The identities in a value, in order.
fn ids(value: &Value, found: &mut Vec<u32>) {
    found.extend(value.id);
    if let Shape::Record { fields } = &value.shape {
        for (_, value) in fields {
            ids(value, found);
        }
    }
}

#[test]
fn an_object_keeps_its_number_when_it_moves() {
    if runnable("java").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), MOVED);
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings: settings(folder.path()).unwrap(),
    };
    let trace = trace(&path, &options).unwrap().trace;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for event in &trace.events {
        if let Payload::Var { name, value } = &event.payload {
            let seen = match name.as_str() {
                "again" => &mut first,
                "other" => &mut second,
                _ => continue,
            };
            let mut found = Vec::new();
            ids(value, &mut found);
            seen.push(found);
        }
    }
    assert_eq!(first.len(), 4);
    // Itself, what it refers to, and itself again.
    let [own, other, again] = first[0][..] else {
        panic!("{:?}", first[0])
    };
    assert_eq!(own, again);
    assert!(first.iter().all(|seen| *seen == [own, other, own]));
    assert!(second.iter().all(|seen| *seen == [other, own, other]));
}
