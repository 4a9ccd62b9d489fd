//! Programs that crash, hang and flood: the outcome is named, what was recorded before is in the
//! trace, and the machine does not notice.

use std::fs;
use std::time::Duration;

use crate::skipped;
use libtest_mimic::{Failed, Trial};
use tracer_engine::{ProgramOptions, RunOptions, languages};
use tracer_model::{End, Limit, Payload, Shape, Trace, Value};
use tracer_tests::{missing, settings};

/// How a case must end.
#[derive(Clone, Copy)]
enum Ends {
    Exit(u8),
    Signal(i32),
    Limit(Limit),
    /// By signal or limit: which of them comes first depends on the machine's memory.
    Either(i32, Limit),
}

/// A program that sets `mark` to 42 and then goes wrong.
struct Case {
    language: &'static str,
    name: &'static str,
    source: &'static str,
    ends: Ends,
}

const CASES: &[Case] = &[
    Case {
        language: "python",
        name: "kill_nine",
        source: "import os, signal\nmark = 41\nmark += 1\nos.kill(os.getpid(), signal.SIGKILL)\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "python",
        name: "exit_at_once",
        source: "import os\nmark = 42\nos._exit(7)\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "python",
        name: "abort",
        source: "import os\nmark = 42\nos.abort()\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "python",
        name: "segmentation_fault",
        source: "import ctypes\nmark = 42\nctypes.string_at(0)\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "python",
        name: "infinite_loop",
        source: "mark = 42\nwhile True:\n    pass\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "python",
        name: "infinite_recursion",
        source: "mark = 42\ndef f():\n    return f()\nf()\n",
        ends: Ends::Exit(1),
    },
    Case {
        language: "python",
        name: "ten_gigabytes",
        source: "mark = 42\nhoard = []\nwhile True:\n    hoard.append(bytearray(10 << 20))\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "python",
        name: "output_flood",
        source: "mark = 42\nwhile True:\n    print('x' * 100000)\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "python",
        name: "fork_bomb",
        source: "import os\nmark = 42\nwhile True:\n    os.fork()\n",
        ends: Ends::Limit(Limit::Processes),
    },
    Case {
        language: "javascript",
        name: "kill_nine",
        source: "let mark = 41;\nmark += 1;\nprocess.kill(process.pid, 'SIGKILL');\nfor (;;);\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "javascript",
        name: "abort",
        source: "const mark = 42;\nprocess.abort();\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "javascript",
        name: "exit_at_once",
        source: "const mark = 42;\nprocess.reallyExit(7);\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "javascript",
        name: "infinite_loop",
        source: "const mark = 42;\nwhile (true) {}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "javascript",
        name: "infinite_recursion",
        source: "const mark = 42;\nfunction f() { return f() + 1; }\nf();\n",
        ends: Ends::Exit(1),
    },
    Case {
        language: "javascript",
        name: "ten_gigabytes",
        source: "const mark = 42;\nconst hoard = [];\n\
                 while (true) hoard.push(Buffer.alloc(10 << 20, 1));\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "javascript",
        name: "output_flood",
        source: "const fs = require('fs');\nconst mark = 42;\n\
                 while (true) fs.writeSync(1, 'x'.repeat(100000));\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "typescript",
        name: "kill_nine",
        source: "let mark: number = 41;\nmark += 1;\nprocess.kill(process.pid, 'SIGKILL');\nfor (;;);\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "typescript",
        name: "abort",
        source: "const mark: number = 42;\nprocess.abort();\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "typescript",
        name: "exit_at_once",
        source: "const mark: number = 42;\nprocess.reallyExit(7);\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "typescript",
        name: "infinite_loop",
        source: "const mark: number = 42;\nwhile (true) {}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "typescript",
        name: "infinite_recursion",
        source: "const mark: number = 42;\nfunction f(): number { return f() + 1; }\nf();\n",
        ends: Ends::Exit(1),
    },
    Case {
        language: "typescript",
        name: "ten_gigabytes",
        source: "const mark: number = 42;\nconst hoard: Buffer[] = [];\n\
                 while (true) hoard.push(Buffer.alloc(10 << 20, 1));\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "typescript",
        name: "output_flood",
        source: "const fs = require('fs');\nconst mark: number = 42;\n\
                 while (true) fs.writeSync(1, 'x'.repeat(100000));\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "php",
        name: "kill_nine",
        source: "<?php\n$mark = 41;\n$mark += 1;\nposix_kill(posix_getpid(), SIGKILL);\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "php",
        name: "exit_at_once",
        source: "<?php\nfunction f() {\n    $mark = 42;\n    exit(7);\n}\nf();\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "php",
        name: "abort",
        source: "<?php\n$mark = 42;\nposix_kill(posix_getpid(), SIGABRT);\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "php",
        name: "infinite_loop",
        source: "<?php\n$mark = 42;\nwhile (true) {}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "php",
        name: "infinite_recursion",
        source: "<?php\nini_set('memory_limit', '64M');\n$mark = 42;\n\
                 function f() { return f() + 1; }\nf();\n",
        ends: Ends::Exit(255),
    },
    Case {
        language: "php",
        name: "ten_gigabytes",
        source: "<?php\nini_set('memory_limit', -1);\n$mark = 42;\n$hoard = [];\n\
                 while (true) $hoard[] = str_repeat('x', 10 << 20);\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "php",
        name: "output_flood",
        source: "<?php\n$mark = 42;\nwhile (true) echo str_repeat('x', 100000);\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "php",
        name: "fork_bomb",
        source: "<?php\n$mark = 42;\nwhile (true) @pcntl_fork();\n",
        ends: Ends::Limit(Limit::Processes),
    },
    Case {
        language: "ruby",
        name: "kill_nine",
        source: "mark = 41\nmark += 1\nProcess.kill(:KILL, Process.pid)\nsleep\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "ruby",
        name: "abort",
        source: "mark = 42\nProcess.kill(:ABRT, Process.pid)\nsleep\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "ruby",
        name: "exit_at_once",
        source: "mark = 42\nexit!(7)\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "ruby",
        name: "infinite_loop",
        source: "mark = 42\nloop { }\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "ruby",
        name: "infinite_recursion",
        source: "mark = 42\ndef f = f()\nf\n",
        ends: Ends::Exit(1),
    },
    Case {
        language: "ruby",
        name: "ten_gigabytes",
        source: "mark = 42\nhoard = []\nloop { hoard << 'x' * (10 << 20) }\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "ruby",
        name: "output_flood",
        source: "mark = 42\nloop { puts 'x' * 100_000 }\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "ruby",
        name: "fork_bomb",
        source: "mark = 42\nloop { fork }\n",
        ends: Ends::Limit(Limit::Processes),
    },
    Case {
        language: "bash",
        name: "kill_nine",
        source: "mark=41\nmark=$((mark + 1))\nkill -KILL $$\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "bash",
        name: "replaced",
        source: "mark=42\nexec sh -c 'exit 7'\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "bash",
        name: "infinite_loop",
        source: "mark=42\nwhile :; do :; done\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "bash",
        name: "output_flood",
        source: "mark=42\nyes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "bash",
        name: "fork_bomb",
        source: "mark=42\nbomb() { bomb | bomb & }\nbomb\nwait\nwhile :; do (sleep 60) & done\n",
        ends: Ends::Limit(Limit::Processes),
    },
    Case {
        language: "swift",
        name: "kill_nine",
        source: "import Glibc\nvar mark = 41\nmark += 1\nkill(getpid(), SIGKILL)\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "swift",
        name: "trap",
        source: "let mark = 42\nlet list = [1]\nprint(list[mark])\n",
        ends: Ends::Signal(4),
    },
    Case {
        language: "swift",
        name: "exit_at_once",
        source: "import Glibc\nlet mark = 42\n_exit(7)\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "swift",
        name: "infinite_loop",
        source: "let mark = 42\nwhile true {}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "swift",
        name: "infinite_recursion",
        source: "let mark = 42\nfunc f(_ n: Int) -> Int { f(n + 1) + 1 }\nprint(f(mark))\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "swift",
        name: "ten_gigabytes",
        source: "let mark = 42\nvar hoard: [[UInt8]] = []\n\
                 while true { hoard.append([UInt8](repeating: 1, count: 10 << 20)) }\n",
        ends: Ends::Either(4, Limit::Memory),
    },
    Case {
        language: "swift",
        name: "output_flood",
        source: "let mark = 42\nwhile true { print(String(repeating: \"x\", count: 100000)) }\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "c",
        name: "kill_nine",
        source: "#include <signal.h>\nint main(void) {\n  int mark = 41;\n  mark += 1;\n  \
                 raise(SIGKILL);\n  return 0;\n}\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "c",
        name: "segmentation_fault",
        source: "int main(void) {\n  int mark = 42;\n  int *p = 0;\n  *p = mark;\n  return 0;\n}\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "c",
        name: "abort",
        source: "#include <stdlib.h>\nint main(void) {\n  int mark = 42;\n  abort();\n}\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "c",
        name: "exit_at_once",
        source: "#include <unistd.h>\nint main(void) {\n  int mark = 42;\n  _exit(7);\n}\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "c",
        name: "infinite_loop",
        source: "int main(void) {\n  int mark = 42;\n  for (;;) { mark = 42; }\n}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "c",
        name: "infinite_recursion",
        source: "int f(int n) {\n  int mark = 42;\n  return f(n + 1) + mark;\n}\n\
                 int main(void) {\n  return f(0);\n}\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "c",
        name: "ten_gigabytes",
        source: "#include <stdlib.h>\n#include <string.h>\nint main(void) {\n  int mark = 42;\n  \
                 for (;;) {\n    char *p = malloc(10 << 20);\n    memset(p, 1, 10 << 20);\n  }\n}\n",
        ends: Ends::Either(11, Limit::Memory),
    },
    Case {
        language: "c",
        name: "output_flood",
        source: "#include <stdio.h>\nint main(void) {\n  int mark = 42;\n  \
                 for (;;) puts(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\");\n}\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "c",
        name: "fork_bomb",
        source: "#include <unistd.h>\nint main(void) {\n  int mark = 42;\n  for (;;) fork();\n}\n",
        ends: Ends::Limit(Limit::Processes),
    },
    Case {
        language: "go",
        name: "kill_nine",
        source: "package main\n\nimport \"syscall\"\n\nfunc main() {\n\tmark := 41\n\tmark += 1\n\t\
                 syscall.Kill(syscall.Getpid(), syscall.SIGKILL)\n\tselect {}\n}\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "go",
        name: "exit_at_once",
        source: "package main\n\nimport \"os\"\n\nfunc main() {\n\tmark := 42\n\tos.Exit(mark - 35)\n}\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "go",
        name: "panic",
        source: "package main\n\nfunc main() {\n\tmark := 42\n\tpanic(mark)\n}\n",
        ends: Ends::Exit(2),
    },
    Case {
        language: "go",
        name: "infinite_loop",
        source: "package main\n\nfunc main() {\n\tmark := 42\n\tfor {\n\t\tmark = 42\n\t}\n}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "go",
        name: "infinite_recursion",
        source: "package main\n\nimport \"runtime/debug\"\n\nfunc f(n int) int {\n\tmark := 42\n\t\
                 return f(n+1) + mark\n}\n\nfunc main() {\n\tdebug.SetMaxStack(1 << 26)\n\tf(0)\n}\n",
        ends: Ends::Exit(2),
    },
    Case {
        language: "go",
        name: "ten_gigabytes",
        source: "package main\n\nimport \"bytes\"\n\nfunc main() {\n\tmark := 42\n\thoard := [][]byte{}\n\t\
                 for mark > 0 {\n\t\thoard = append(hoard, bytes.Repeat([]byte{1}, 10<<20))\n\t}\n}\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "go",
        name: "output_flood",
        source: "package main\n\nimport (\n\t\"fmt\"\n\t\"strings\"\n)\n\nfunc main() {\n\tmark := 42\n\t\
                 for mark > 0 {\n\t\tfmt.Println(strings.Repeat(\"x\", 100000))\n\t}\n}\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "cpp",
        name: "kill_nine",
        source: "#include <signal.h>\nint main() {\n  int mark = 41;\n  mark += 1;\n  \
                 raise(SIGKILL);\n  return 0;\n}\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "cpp",
        name: "segmentation_fault",
        source: "int main() {\n  int mark = 42;\n  int *p = nullptr;\n  *p = mark;\n  return 0;\n}\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "cpp",
        name: "exit_at_once",
        source: "#include <unistd.h>\nint main() {\n  int mark = 42;\n  _exit(7);\n}\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "cpp",
        name: "infinite_loop",
        source: "int main() {\n  int mark = 42;\n  for (;;) { mark = 42; }\n}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "cpp",
        name: "infinite_recursion",
        source: "int f(int n) {\n  int mark = 42;\n  return f(n + 1) + mark;\n}\n\
                 int main() {\n  return f(0);\n}\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "cpp",
        name: "uncaught_exception",
        source: "void f() {\n  int mark = 42;\n  throw mark;\n}\nint main() {\n  f();\n}\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "cpp",
        name: "ten_gigabytes",
        source: "int main() {\n  int mark = 42;\n  for (;;) {\n    char *p = new char[10 << 20];\n    \
                 for (int i = 0; i < 10 << 20; i += 4096) p[i] = 1;\n  }\n}\n",
        ends: Ends::Either(6, Limit::Memory),
    },
    Case {
        language: "java",
        name: "halt",
        source: "class Main {\n  public static void main(String[] args) {\n    int mark = 42;\n    \
                 Runtime.getRuntime().halt(7);\n  }\n}\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "java",
        name: "kill_nine",
        source: "class Main {\n  public static void main(String[] args) throws Exception {\n    \
                 int mark = 42;\n    long pid = ProcessHandle.current().pid();\n    \
                 new ProcessBuilder(\"kill\", \"-9\", Long.toString(pid)).start().waitFor();\n  }\n}\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "java",
        name: "infinite_loop",
        source: "class Main {\n  public static void main(String[] args) {\n    int mark = 42;\n    \
                 while (true) { mark = 42; }\n  }\n}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "java",
        name: "infinite_recursion",
        source: "class Main {\n  static int f(int n) {\n    int mark = 42;\n    \
                 return f(n + 1) + mark;\n  }\n  public static void main(String[] args) {\n    \
                 f(0);\n  }\n}\n",
        ends: Ends::Exit(1),
    },
    Case {
        language: "java",
        name: "out_of_memory",
        source: "import java.util.*;\nclass Main {\n  public static void main(String[] args) {\n    \
                 int mark = 42;\n    List<long[]> all = new ArrayList<>();\n    \
                 for (;;) all.add(new long[1 << 20]);\n  }\n}\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "java",
        name: "output_flood",
        source: "class Main {\n  public static void main(String[] args) {\n    int mark = 42;\n    \
                 for (;;) System.out.println(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\");\n  \
                 }\n}\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "rust",
        name: "abort",
        source: "fn main() {\n    let mark = 42;\n    std::process::abort();\n}\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "rust",
        name: "exit_at_once",
        source: "unsafe extern \"C\" { fn _exit(code: i32) -> !; }\nfn main() {\n    \
                 let mark = 42;\n    unsafe { _exit(7) }\n}\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "rust",
        name: "segmentation_fault",
        source: "fn main() {\n    let mark = 42;\n    let p = mark as *mut i32;\n    \
                 unsafe { std::ptr::write_volatile(p.wrapping_byte_sub(2), mark) }\n}\n",
        ends: Ends::Signal(11),
    },
    Case {
        language: "rust",
        name: "infinite_loop",
        source: "fn main() {\n    let mut mark = 42;\n    loop { mark = 42; }\n}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "rust",
        name: "infinite_recursion",
        source: "fn f(n: u64) -> u64 {\n    let mark = 42;\n    f(n + 1) + mark\n}\n\
                 fn main() {\n    f(0);\n}\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "rust",
        name: "output_flood",
        source: "fn main() {\n    let mark = 42;\n    \
                 loop { println!(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"); }\n}\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "csharp",
        name: "kill_nine",
        source: "using System.Diagnostics;\nclass P {\n  static void Main() {\n    int mark = 41;\n    \
                 mark += 1;\n    Process.GetCurrentProcess().Kill();\n  }\n}\n",
        ends: Ends::Signal(9),
    },
    Case {
        language: "csharp",
        name: "fail_fast",
        source: "class P {\n  static void Main() {\n    int mark = 42;\n    \
                 System.Environment.FailFast(\"end\");\n  }\n}\n",
        ends: Ends::Signal(6),
    },
    Case {
        language: "csharp",
        name: "exit_at_once",
        source: "class P {\n  static void Main() {\n    int mark = 42;\n    \
                 System.Environment.Exit(7);\n  }\n}\n",
        ends: Ends::Exit(7),
    },
    Case {
        language: "csharp",
        name: "infinite_loop",
        source: "class P {\n  static void Main() {\n    int mark = 42;\n    \
                 for (;;) mark = 42;\n  }\n}\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "csharp",
        name: "output_flood",
        source: "class P {\n  static void Main() {\n    int mark = 42;\n    \
                 for (;;) System.Console.WriteLine(new string('x', 100000));\n  }\n}\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "sql",
        name: "infinite_recursion",
        source: "CREATE TABLE t(mark);\nINSERT INTO t VALUES (42) RETURNING mark;\n\
                 WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) \
                 SELECT count(*) FROM c;\n",
        ends: Ends::Limit(Limit::Wall),
    },
    Case {
        language: "sql",
        name: "ten_gigabytes",
        source: "SELECT 42 AS mark;\nCREATE TABLE t(a);\n\
                 WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) \
                 INSERT INTO t SELECT randomblob(1000000) FROM c LIMIT 10000;\n",
        ends: Ends::Limit(Limit::Memory),
    },
    Case {
        language: "sql",
        name: "output_flood",
        source: "SELECT 42 AS mark;\n\
                 WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) \
                 SELECT printf('%.100000c', 'x') FROM c;\n",
        ends: Ends::Limit(Limit::Output),
    },
    Case {
        language: "sql",
        name: "exit_at_once",
        source: "SELECT 42 AS mark;\n.exit 7\nSELECT 1;\n",
        ends: Ends::Exit(7),
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for case in CASES {
        let Some(spec) = languages::by_name(case.language) else {
            continue;
        };
        let name = format!("survival/{}/{}", case.language, case.name);
        match missing(spec) {
            None => trials.push(Trial::test(name, || survives(case))),
            Some(why) => trials.push(skipped(&name, why)),
        }
    }
    trials
}

fn survives(case: &Case) -> Result<(), Failed> {
    let trace = record(case)?;
    let end = &trace.outcome.end;
    let limited = |limit: Limit| {
        *end == (End::Limited { limit }) || trace.outcome.limits_hit.contains(&limit)
    };
    let signaled = |number: i32| matches!(end, End::Signaled { signal, .. } if *signal == number);
    let right = match case.ends {
        Ends::Exit(code) => *end == (End::Exited { code }),
        Ends::Signal(number) => signaled(number),
        Ends::Limit(limit) => limited(limit),
        Ends::Either(number, limit) => signaled(number) || limited(limit),
    };
    if !right {
        return Err(format!("ended with {:?}", trace.outcome).into());
    }
    let marked = trace.events.iter().any(|event| match &event.payload {
        Payload::Var { name, value } => {
            name.trim_start_matches('$') == "mark" && value.text == "42" || in_row(value)
        }
        _ => false,
    });
    if !marked {
        return Err(format!("`mark = 42` is not among {} events", trace.events.len()).into());
    }
    Ok(())
}

/// Whether a result has a column `mark` that is 42.
fn in_row(value: &Value) -> bool {
    match &value.shape {
        Shape::Sequence { items } => items.iter().any(in_row),
        Shape::Record { fields } => fields
            .iter()
            .any(|(name, value)| name == "mark" && value.text == "42"),
        _ => false,
    }
}

fn record(case: &Case) -> Result<Trace, Failed> {
    let spec = languages::by_name(case.language).ok_or("the language is in the table")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(format!("main.{}", spec.extensions[0]));
    fs::write(&path, case.source)?;
    let mut settings = settings(folder.path())?;
    settings.limits.wall = Some(Duration::from_secs(5));
    settings.limits.memory = Some(512 << 20);
    settings.limits.processes = Some(32);
    settings.limits.output = Some(8 << 20);
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    Ok(tracer_engine::trace(&path, &options)?.trace)
}
