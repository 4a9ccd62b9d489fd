//! Starts the system's own package tools, and nothing else.
//!
//! What is started here dies with this process, can be stopped at any moment, and leaves the end of
//! what it said for the error. Subjects are not run here; that is the sandbox's business.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::{Cancel, ImageError};

/// Lines of output that an error shows.
const LINES: usize = 12;
/// How often the progress of a tool is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// One call of a tool.
pub(crate) struct Tool {
    what: String,
    /// Whose disk it fills.
    folder: PathBuf,
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    current: Option<PathBuf>,
}

/// How much a tool may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// The host as it is, network included: for downloads.
    None,
    /// Mounts, processes and network of its own; root inside, whoever starts it. With the end of
    /// the first process all others end, and no mount stays.
    Alone,
    /// The same, with the further users that laying out packages needs: for an ordinary user they
    /// come from `/etc/subuid`.
    Users,
}

impl Tool {
    /// A call of `program`; `what` says in errors what it does, `folder` is where it writes.
    pub(crate) fn new(what: impl Into<String>, folder: &Path, program: &str) -> Self {
        Self {
            what: what.into(),
            folder: folder.to_owned(),
            words: vec![program.into()],
            environment: Vec::new(),
            current: None,
        }
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.words
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// The folder it works in.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.current = Some(folder.to_owned());
        self
    }

    /// Runs it; what it printed to stdout.
    pub(crate) fn output(
        self,
        isolation: Isolation,
        cancel: &Cancel,
    ) -> Result<String, ImageError> {
        let mut text = Vec::new();
        self.start(
            isolation,
            Stdio::piped(),
            Some(&mut text),
            cancel,
            &mut || {},
        )?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs it with stdout into a file.
    pub(crate) fn into_file(
        self,
        isolation: Isolation,
        file: File,
        cancel: &Cancel,
    ) -> Result<(), ImageError> {
        self.start(isolation, file.into(), None, cancel, &mut || {})
    }

    /// Runs it, calling `glance` several times a second.
    pub(crate) fn watched(
        self,
        isolation: Isolation,
        cancel: &Cancel,
        glance: &mut dyn FnMut(),
    ) -> Result<(), ImageError> {
        self.start(isolation, Stdio::null(), None, cancel, glance)
    }

    fn start(
        self,
        isolation: Isolation,
        stdout: Stdio,
        captured: Option<&mut Vec<u8>>,
        cancel: &Cancel,
        glance: &mut dyn FnMut(),
    ) -> Result<(), ImageError> {
        cancel.check()?;
        let failed =
            |source| ImageError::system(format!("start {}: {}", self.program(), self.what), source);
        let mut child = self
            .command(isolation)
            .stdin(Stdio::null())
            .stdout(stdout)
            .spawn()
            .map_err(failed)?;
        let mut said = VecDeque::new();
        let stderr = child.stderr.take();
        let stdout = child.stdout.take();
        let ended = std::thread::scope(|scope| {
            let reader = stderr.map(|pipe| scope.spawn(|| last_lines(pipe)));
            let capture = stdout.map(|mut pipe| {
                scope.spawn(move || {
                    let mut text = Vec::new();
                    pipe.read_to_end(&mut text).map(|_| text)
                })
            });
            let ended = wait(&mut child, cancel, glance);
            if let Some(reader) = reader {
                said = reader.join().unwrap_or_default();
            }
            let text = capture.and_then(|thread| thread.join().ok());
            if let (Some(Ok(text)), Some(place)) = (text, captured) {
                *place = text;
            }
            ended
        });
        let status = ended.map_err(failed)?;
        cancel.check()?;
        if status.success() {
            return Ok(());
        }
        let said = Vec::from(said).join("\n");
        if said.contains("No space left on device") {
            let full = std::io::ErrorKind::StorageFull.into();
            return Err(ImageError::writing(self.what, &self.folder, full));
        }
        Err(ImageError::Tool {
            what: self.what,
            status: status.to_string(),
            said,
        })
    }

    fn program(&self) -> String {
        self.words[0].to_string_lossy().into_owned()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the system's package tools are not subjects, and need the host"
    )]
    fn command(&self, isolation: Isolation) -> Command {
        // setpriv asks the kernel to kill the tool when this process goes.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if isolation != Isolation::None {
            command.arg("unshare");
            if !is_root() {
                command.args(["--user", "--map-root-user"]);
                command.args((isolation == Isolation::Users).then_some("--map-auto"));
            }
            command.args([
                "--mount",
                "--pid",
                "--net",
                "--ipc",
                "--fork",
                "--kill-child=KILL",
            ]);
        }
        command.args(&self.words);
        command.env("LC_ALL", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.current {
            command.current_dir(folder);
        }
        command.stderr(Stdio::piped());
        // A group of its own: Ctrl-C reaches us alone, and we end all of it.
        command.process_group(0);
        command
    }
}

/// Waits for a child; ends it with all that it started once the work is cancelled.
fn wait(
    child: &mut Child,
    cancel: &Cancel,
    glance: &mut dyn FnMut(),
) -> std::io::Result<std::process::ExitStatus> {
    let mut pause = Duration::from_millis(1);
    let mut killed = false;
    loop {
        if let Some(status) = child.try_wait()? {
            glance();
            return Ok(status);
        }
        if cancel.check().is_err() && !killed {
            killed = true;
            // It may have ended in this moment; then there is nothing to kill.
            let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
        }
        glance();
        std::thread::sleep(pause);
        pause = (pause * 2).min(GLANCE);
    }
}

fn last_lines(pipe: impl Read) -> VecDeque<String> {
    let mut lines = VecDeque::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).into_owned());
    }
    lines
}

/// Whether this process may do what root may.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Removes a folder with what belongs to the users that packages were laid out by.
pub(crate) fn remove(folder: &Path) -> Result<(), ImageError> {
    Tool::new(format!("removing {}", folder.display()), folder, "rm")
        .args([Path::new("-rf"), Path::new("--"), folder])
        .output(Isolation::Users, &Cancel::new())
        .map(drop)
}

/// Where a program of the system is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

#[cfg(test)]
#[expect(clippy::print_stderr, reason = "a test that cannot run says why")]
mod tests {
    use super::*;

    fn shell(script: &str) -> Tool {
        Tool::new("running a script", Path::new("/tmp"), "sh").args(["-c", script])
    }

    #[test]
    fn a_tool_that_fails_shows_the_end_of_what_it_said() {
        if find("setpriv").is_none() {
            return eprintln!("skipped: there is no setpriv");
        }
        let cancel = Cancel::new();
        let said = shell("echo hello")
            .output(Isolation::None, &cancel)
            .unwrap();
        assert_eq!(said, "hello\n");
        let script = "seq 1 100 >&2; echo why >&2; exit 3";
        match shell(script).output(Isolation::None, &cancel).unwrap_err() {
            ImageError::Tool { status, said, .. } => {
                assert!(status.contains('3'), "{status}");
                assert!(
                    said.ends_with("100\nwhy") && !said.contains("\n88\n"),
                    "{said}"
                );
            }
            other => panic!("{other}"),
        }
        let script = "echo 'tar: x: Cannot write: No space left on device' >&2; exit 2";
        let error = shell(script).output(Isolation::None, &cancel).unwrap_err();
        assert!(matches!(error, ImageError::Full { .. }), "{error}");
    }

    #[test]
    fn a_tool_ends_with_all_it_started_when_cancelled() {
        if find("setpriv").is_none() {
            return eprintln!("skipped: there is no setpriv");
        }
        let cancel = Cancel::new();
        // The inner shell holds stdout: were it left, this would not return.
        let tool = shell("sh -c 'while :; do read x </dev/zero; done'");
        let mut glances = 0;
        let error = tool.watched(Isolation::None, &cancel, &mut || {
            glances += 1;
            cancel.cancel();
        });
        assert!(matches!(error, Err(ImageError::Cancelled)));
        assert!(glances >= 1);
    }
}
