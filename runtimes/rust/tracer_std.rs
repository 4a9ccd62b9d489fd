//! What is known of the types of the language and its standard library.
//!
//! Reading them runs no code of the program: no hashing, no comparing, no locking.

use std::borrow::Cow;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::num::Wrapping;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::*;

use crate::channel::channel;
use crate::probes::{L_BOOL, L_CHAR, L_DOUBLE, L_FLOAT, L_SIGNED, L_UNSIGNED, put_bits, var_bits};
use crate::values::*;
use crate::writer::writer;

macro_rules! scalar {
    ($($type:ty, $what:expr, $name:expr, |$value:ident| $bits:expr;)*) => {$(
        impl Put for $type {
            fn put(&self) {
                let $value = *self;
                put_bits($what, $name, $bits);
            }
            fn var(&self, site: u32) {
                let $value = *self;
                var_bits(site, $what, $name, $bits);
            }
            fn keep(&self, frame: &crate::Frame) {
                let $value = *self;
                frame.keep_bits($what, $name, $bits);
            }
        }
    )*};
}

scalar! {
    i32, L_SIGNED, N_NONE, |v| v as i64 as u64;
    i8, L_SIGNED, 0, |v| v as i64 as u64;
    i16, L_SIGNED, 1, |v| v as i64 as u64;
    i64, L_SIGNED, 2, |v| v as u64;
    isize, L_SIGNED, 3, |v| v as u64;
    u8, L_UNSIGNED, 4, |v| u64::from(v);
    u16, L_UNSIGNED, 5, |v| u64::from(v);
    u32, L_UNSIGNED, 6, |v| u64::from(v);
    u64, L_UNSIGNED, 7, |v| v;
    usize, L_UNSIGNED, N_NONE, |v| v as u64;
    bool, L_BOOL, N_NONE, |v| u64::from(v);
    char, L_CHAR, N_NONE, |v| v as u64;
    f64, L_DOUBLE, N_NONE, |v| v.to_bits();
    f32, L_FLOAT, N_NONE, |v| u64::from(v.to_bits());
}

impl Put for i128 {
    fn put(&self) {
        put_typed(9);
        put_wide(*self < 0, self.unsigned_abs());
    }
}

impl Put for u128 {
    fn put(&self) {
        put_typed(10);
        put_wide(false, *self);
    }
}

impl Put for str {
    fn put(&self) {
        put_text(self);
    }
}

impl Put for String {
    fn put(&self) {
        put_typed(8);
        put_text(self);
    }
}

// What only leads to another value is shown as that.

macro_rules! leads {
    ($([$($generics:tt)*] $type:ty, |$value:ident| $inner:expr;)*) => {$(
        impl<$($generics)*> Put for $type {
            fn put(&self) {
                let $value = self;
                let inner = $inner;
                inner.put();
            }
        }
    )*};
}

leads! {
    [T: ?Sized] &T, |v| &**v;
    [T: ?Sized] &mut T, |v| &**v;
    [T: ?Sized] Box<T>, |v| &**v;
    [T] Wrapping<T>, |v| &v.0;
    [T] Reverse<T>, |v| &v.0;
}

/// The same with a level of its own, since such types can hold themselves.
fn shared<T: ?Sized>(type_name: &'static str, at: *const u8, inner: &T) {
    let number = intern(type_name);
    let shown = shows_parts();
    put_byte(POINTER);
    put_number(number);
    put_number(identity(at));
    put_byte(u8::from(shown));
    if shown {
        writer().level += 1;
        inner.put();
        writer().level -= 1;
    }
}

impl<T: ?Sized> Put for Rc<T> {
    fn put(&self) {
        shared("Rc", Rc::as_ptr(self).cast(), &**self);
    }
}

impl<T: ?Sized> Put for Arc<T> {
    fn put(&self) {
        shared("Arc", Arc::as_ptr(self).cast(), &**self);
    }
}

impl<T: ?Sized> Put for RefCell<T> {
    fn put(&self) {
        // SAFETY: nothing writes to it while the probe runs; a writer that is about is respected.
        match unsafe { self.try_borrow_unguarded() } {
            Ok(inner) => record("RefCell", &[("value", &Field(inner))]),
            Err(_) => unit("RefCell", "borrowed"),
        }
    }
}

impl<T> Put for Cell<T> {
    fn put(&self) {
        // SAFETY: a `Cell` is not shared between threads, and nothing writes while the probe runs.
        let inner = unsafe { &*self.as_ptr() };
        record("Cell", &[("value", &Field(inner))]);
    }
}

impl<T: ?Sized> Put for UnsafeCell<T> {
    fn put(&self) {
        opaque("UnsafeCell");
    }
}

macro_rules! atomic {
    ($($type:ty)*) => {$(
        impl Put for $type {
            fn put(&self) {
                self.load(Ordering::Relaxed).put();
            }
        }
    )*};
}

atomic! { AtomicBool AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize AtomicU8 AtomicU16 AtomicU32
AtomicU64 AtomicUsize }

impl<T> Put for Option<T> {
    fn put(&self) {
        match self {
            Some(value) => record("Some", &[("0", &Field(value))]),
            None => unit("Option", "None"),
        }
    }
    fn failed(&self, site: u32) {
        crate::probes::decided(site, self.is_some());
    }
}

impl<T, E> Put for Result<T, E> {
    fn put(&self) {
        match self {
            Ok(value) => record("Ok", &[("0", &Field(value))]),
            Err(value) => record("Err", &[("0", &Field(value))]),
        }
    }
    fn failed(&self, site: u32) {
        crate::probes::decided(site, self.is_ok());
    }
}

impl<T: ?Sized + ToOwned> Put for Cow<'_, T> {
    fn put(&self) {
        match self {
            Cow::Borrowed(value) => value.put(),
            Cow::Owned(value) => value.put(),
        }
    }
}

impl<T> Put for Range<T> {
    fn put(&self) {
        record("Range", &[("start", &Field(&self.start)), ("end", &Field(&self.end))]);
    }
}

impl<T> Put for RangeInclusive<T> {
    fn put(&self) {
        let (start, end) = (self.start(), self.end());
        record("RangeInclusive", &[("start", &Field(start)), ("end", &Field(end))]);
    }
}

// Containers

/// Begins a container; how many elements are shown.
fn begin(kind: u8, type_name: &'static str, length: usize, unordered: bool) -> usize {
    let number = intern(type_name);
    let limit = if shows_parts() { channel().elements as usize } else { 0 };
    // Which of the elements come first changes from run to run where there is no order.
    let shown = if unordered && length > limit { 0 } else { length.min(limit) };
    put_byte(kind);
    put_number(number);
    put_byte(0);
    put_number(length as u64);
    put_cut(shown < length, u8::from(unordered) * 2);
    put_number(shown as u64);
    writer().level += 1;
    shown
}

fn end() {
    writer().level -= 1;
}

fn element<T: ?Sized>(value: &T, began: usize) {
    if too_long(began) {
        opaque("…");
    } else {
        value.put();
    }
}

fn elements<'a, T: 'a>(
    kind: u8,
    type_name: &'static str,
    length: usize,
    unordered: bool,
    all: impl Iterator<Item = &'a T>,
) {
    let shown = begin(kind, type_name, length, unordered);
    let began = writer().to as usize;
    for value in all.take(shown) {
        element(value, began);
    }
    end();
}

fn entries<'a, K: 'a, V: 'a>(
    type_name: &'static str,
    length: usize,
    unordered: bool,
    all: impl Iterator<Item = (&'a K, &'a V)>,
) {
    let shown = begin(MAP, type_name, length, unordered);
    let began = writer().to as usize;
    for (key, value) in all.take(shown) {
        element(key, began);
        element(value, began);
    }
    end();
}

impl<T> Put for [T] {
    fn put(&self) {
        elements(SEQUENCE, core::any::type_name::<[T]>(), self.len(), false, self.iter());
    }
}

impl<T, const N: usize> Put for [T; N] {
    fn put(&self) {
        elements(SEQUENCE, core::any::type_name::<[T; N]>(), N, false, self.iter());
    }
}

macro_rules! containers {
    ($([$($generics:tt)*] $type:ty, $kind:expr, $unordered:expr;)*) => {$(
        impl<$($generics)*> Put for $type {
            fn put(&self) {
                let name = core::any::type_name::<Self>();
                elements($kind, name, self.len(), $unordered, self.iter());
            }
        }
    )*};
}

containers! {
    [T] Vec<T>, SEQUENCE, false;
    [T] VecDeque<T>, SEQUENCE, false;
    [T] LinkedList<T>, SEQUENCE, false;
    [T] BinaryHeap<T>, SEQUENCE, false;
    [T] BTreeSet<T>, SET, false;
    [T, S] HashSet<T, S>, SET, true;
}

impl<K, V> Put for BTreeMap<K, V> {
    fn put(&self) {
        entries(core::any::type_name::<Self>(), self.len(), false, self.iter());
    }
}

impl<K, V, S> Put for HashMap<K, V, S> {
    fn put(&self) {
        // The hasher says nothing to a reader.
        entries("HashMap", self.len(), true, self.iter());
    }
}

impl Put for () {
    fn put(&self) {
        put_typed(11);
        put_byte(NULL);
    }
}

macro_rules! tuples {
    ($($type:ident $name:literal $index:tt),+) => {
        impl<$($type),+> Put for ($($type,)+) {
            fn put(&self) {
                record("", &[$(($name, &Field(&self.$index))),+]);
            }
        }
    };
}

tuples!(A "0" 0);
tuples!(A "0" 0, B "1" 1);
tuples!(A "0" 0, B "1" 1, C "2" 2);
tuples!(A "0" 0, B "1" 1, C "2" 2, D "3" 3);
tuples!(A "0" 0, B "1" 1, C "2" 2, D "3" 3, E "4" 4);
tuples!(A "0" 0, B "1" 1, C "2" 2, D "3" 3, E "4" 4, F "5" 5);
