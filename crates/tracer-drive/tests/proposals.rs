//! What is proposed for small files of each language.

use tracer_drive::{Proposal, propose};

fn proposal(language: &str, name: &str, source: &str) -> Proposal {
    let spec = tracer_languages::by_name(language).expect("all languages are compiled in");
    propose(spec, name, source.as_bytes())
}

/// The driver's text has all of these, and the original stands before it or beside it.
fn driven(language: &str, name: &str, source: &str, wanted: &[&str]) {
    let proposal = proposal(language, name, source);
    let Some(driver) = &proposal.driver else {
        panic!("{language}: not driven: {}", proposal.undriven);
    };
    for wanted in wanted {
        assert!(
            driver.text().contains(wanted),
            "{language}: no {wanted} in\n{}",
            driver.text()
        );
    }
    assert_eq!(proposal.inputs.len(), driver.runs());
    assert!(
        proposal.inputs.len() >= 2,
        "{language}: {:?}",
        proposal.inputs
    );
    let files = driver.files(source.as_bytes());
    let whole = |text: &Vec<u8>| text.starts_with(source.as_bytes());
    assert!(
        files.iter().any(|(_, text)| whole(text)),
        "{language}: the original was touched"
    );
    assert_eq!(
        proposal,
        self::proposal(language, name, source),
        "{language}: not the same again"
    );
}

#[test]
fn files_that_only_define_are_driven() {
    driven(
        "python",
        "a.py",
        "def f(n, words):\n    \"\"\"\n    >>> f(2, ['x'])\n    0\n    \"\"\"\n    if n == 42:\n        return words[0].upper()\n\nclass C:\n    def __init__(self, size):\n        self.size = size\n    def get(self, key):\n        return key in 'abc'\n",
        &["f(2, ['x'])", "f(42, [", "C(6)", "it1.get("],
    );
    driven(
        "javascript",
        "a.js",
        "const add = (a, list) => a % 2 ? list.map((x) => x) : a\nmodule.exports = { add }\n",
        &["add(6, [5, 2, 9, 1, 7, 3])", "add(0, [])"],
    );
    driven(
        "typescript",
        "a.ts",
        "export function f(a: number, b: string[]): number { return a + b.length }\nclass K<T> { push(x: T): void {} }\n",
        &["f(6, ['pear',", "new K()", ".push("],
    );
    driven(
        "c",
        "a.c",
        "struct p { int x; };\nint f(int *values, int n) { return values[n - 1]; }\nint g(struct p *at) { return at->x; }\n",
        &[
            "f((int[32]){5, 2, 9, 1, 7, 3}, 6)",
            "g(&(struct p){0})",
            "int main(",
        ],
    );
    driven(
        "cpp",
        "a.cpp",
        "#include <vector>\nint f(std::vector<int>& v) { return v[0]; }\ntemplate <class T> T big(T a, T b) { return a > b ? a : b; }\nclass K { int c; public: K(int a) : c(a) {} int get() { return c; } };\n",
        &[
            "f(driverKeep<std::vector<int>>(std::vector<int>{5, 2",
            "big(6, 3)",
            "K(6)",
            "it1.get()",
        ],
    );
    driven(
        "go",
        "a.go",
        "package main\n\nfunc f(a []int, n int) int { return a[0] + n }\n",
        &["f([]int{5, 2, 9, 1, 7, 3}, 6)"],
    );
    driven(
        "go",
        "b.go",
        "package p\n\nfunc F(a uint) uint { return a }\nfunc hidden() {}\n",
        &["F(6)", ". \"example/p\""],
    );
    driven(
        "java",
        "A.java",
        "package x;\npublic class A {\n  public static <T extends Comparable<T>> int f(T[] a) { return a.length; }\n  int v;\n  A(int v) { this.v = v; }\n  long get(long n) { return n + v; }\n}\n",
        &["A.f(new Integer[] {5, 2", "new A(6)", "it1.get(6L)"],
    );
    driven(
        "rust",
        "a.rs",
        "pub fn f(v: &mut Vec<u64>, s: &str) -> usize { v.len() + s.len() }\npub struct S<T>(Vec<T>);\nimpl<T> S<T> {\n    pub fn new() -> Self { S(vec![]) }\n    pub fn push(&mut self, x: T) { self.0.push(x); }\n}\n",
        &["f(&mut vec![5, 2", "S::<i32>::new()", "it1.push("],
    );
    driven(
        "ruby",
        "a.rb",
        "def f(a, b = 2)\n  a.even? ? a + b : b\nend\nclass K\n  def initialize(n)\n    @n = n\n  end\n  def get(list, by:)\n    list.map { |x| x + by }\n  end\nend\n",
        &["f(6)", "K.new(6)", "by: "],
    );
    driven(
        "php",
        "a.php",
        "<?php\nfunction f($a, array $b) { return $a + count($b); }\nclass K { public function __construct(private int $n) {} public function get() { return $this->n; } }\n",
        &["f(6, [5, 2", "new K(6)", "->get()"],
    );
    driven(
        "csharp",
        "a.cs",
        "using System;\nnamespace N { public class A { public static int F(int a, int[] b) { return a + b.Length; } } }\n",
        &["A.F(6, new int[] {5, 2", "namespace N {"],
    );
    driven(
        "swift",
        "a.swift",
        "func f(a: Int, _ b: [Int]) -> Int { return a + b[0] }\n",
        &["f(a: 6, [5, 2"],
    );
    driven(
        "bash",
        "a.sh",
        "greet() {\n  if [ \"$2\" -gt 3 ]; then echo \"$1\"; fi\n}\n",
        &["driver_show greet 6"],
    );
}

#[test]
fn what_runs_is_not_driven() {
    let running = [
        (
            "python",
            "a.py",
            "def f():\n    pass\nif __name__ == '__main__':\n    pass\n",
        ),
        ("python", "b.py", "x = int(input())\ny = x\n"),
        ("javascript", "a.js", "function f() {}\nconst x = f()\n"),
        ("c", "a.c", "int main(void) { return 0; }\n"),
        (
            "java",
            "A.java",
            "class A { public static void main(String[] a) {} }\n",
        ),
        ("bash", "a.sh", "f() { :; }\nf\n"),
    ];
    for (language, name, source) in running {
        let proposal = proposal(language, name, source);
        assert!(
            proposal.driver.is_none() && proposal.undriven.is_empty(),
            "{language}: {proposal:?}"
        );
        assert!(!proposal.inputs.is_empty());
    }
}

#[test]
fn input_is_found_in_the_source() {
    let source = "import sys\nname = sys.argv[1]\nn = int(input('how many'))\nfor i in range(n):\n    c = input()\n    if c == 'quit':\n        break\n";
    let inputs = proposal("python", "a.py", source).inputs;
    assert!(inputs.len() >= 4, "{inputs:?}");
    assert_eq!(inputs[0].args.len(), 1);
    assert!(inputs[0].stdin.starts_with(b"5\n"), "{inputs:?}");
    assert!(inputs.iter().any(|input| input.stdin.ends_with(b"quit\n")));
    let source = "#include <stdio.h>\nint main(void) { int n; double d; scanf(\"%d %lf\", &n, &d); return n; }\n";
    let inputs = proposal("c", "a.c", source).inputs;
    assert!(inputs[0].stdin.starts_with(b"5\n4\n"), "{inputs:?}");
    let source = "# Input:\n# 3\n# 1 2 3\n# Output:\n# 6\nn = int(input())\nprint(sum(map(int, input().split())))\n";
    assert_eq!(
        proposal("python", "b.py", source).inputs[0].stdin,
        b"3\n1 2 3\n"
    );
}

#[test]
fn calls_that_do_not_compile_are_taken_out() {
    let source = "int f(int a) { return a; }\nint g(int a) { return a; }\n";
    let driver = proposal("c", "a.c", source)
        .driver
        .expect("it only defines");
    let (_, text) = driver.files(source.as_bytes()).remove(0);
    let text = String::from_utf8(text).expect("it is text");
    let line = text
        .lines()
        .position(|line| line.contains("(g(6))"))
        .expect("g is called")
        + 1;
    let line = u32::try_from(line).expect("it is short");
    let left = driver
        .without(source.as_bytes(), &[line])
        .expect("f is left");
    assert!(left.text().contains("(f(6))") && !left.text().contains("(g(6))"));
    assert!(
        driver.without(source.as_bytes(), &[1]).is_none(),
        "the original's own mistakes stay"
    );
}
