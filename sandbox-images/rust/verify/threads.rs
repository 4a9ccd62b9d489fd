//! Threads with shared state and a channel, which a module has not.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;

fn main() {
    let (sender, receiver) = mpsc::channel();
    let total = Arc::new(Mutex::new(0_u64));
    let workers: Vec<_> = (0..4_u64)
        .map(|id| {
            let (sender, total) = (sender.clone(), Arc::clone(&total));
            thread::spawn(move || {
                *total.lock().unwrap() += (id..1000).step_by(4).sum::<u64>();
                sender.send(char::from(b'a' + id as u8)).unwrap();
            })
        })
        .collect();
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let mut names: Vec<char> = receiver.iter().collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    println!("{names:?} {}", total.lock().unwrap());
}
