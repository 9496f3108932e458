//! The process in which the library works, and what the operating system knows of it.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Failure;

/// Has glibc's allocator give back at once what a large answer took. Otherwise each thread's part of it keeps some, so that
/// what is resident goes up and down by 10 MB and says nothing of what the library holds.
const LITTLE_KEPT: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "65536"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// A process of this program. Dropping it kills it.
pub(crate) struct Worker {
    child: Child,
}

/// What is resident, in KiB, and how many descriptors are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) resident: u64,
    pub(crate) descriptors: u64,
}

impl Worker {
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
    ) -> Result<(Self, Lines<BufReader<ChildStdout>>, ChildStdin), Failure> {
        let mut child = Command::new(program)
            .args(arguments)
            .envs(LITTLE_KEPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (output, input) = (child.stdout.take(), child.stdin.take());
        let output = output.ok_or("the process has no output")?;
        Ok((Self { child }, BufReader::new(output).lines(), input.ok_or("the process has no input")?))
    }

    /// Linux tells it in `/proc`.
    pub(crate) fn sample(&self) -> Option<Sample> {
        let folder = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{folder}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident = resident.split_ascii_whitespace().next()?.parse().ok()?;
        Some(Sample { resident, descriptors: fs::read_dir(format!("{folder}/fd")).ok()?.count() as u64 })
    }

    /// Ends it with SIGKILL, and waits until it is gone.
    pub(crate) fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it ends by itself, and well.
    pub(crate) fn wait(mut self) -> Result<(), Failure> {
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the process ended with {status}").into()) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
