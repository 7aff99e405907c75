//! Ctrl-C and its kin while a command runs, and how the command's processes are ended.

use super::Stop;

#[cfg(not(unix))]
pub(super) use plain::Signals;
#[cfg(unix)]
pub(super) use unix::Signals;

impl Signals {
    /// Catches them from now on; refuses where they can't be.
    pub(super) fn begin() -> Result<Self, Stop> {
        Signals::catch()
            .map_err(|error| Stop::fault(format!("signals can't be caught: {error}"), "try again"))
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::flag::{register_conditional_shutdown, register_usize};

    /// How long processes may take to end by themselves.
    const GRACE: Duration = Duration::from_secs(5);

    /// The signals that end this process, caught.
    pub(in crate::cli) struct Signals {
        caught: Arc<AtomicUsize>,
        /// While it is set, there is nothing to be told: a signal ends the process at once.
        idle: Arc<AtomicBool>,
    }

    impl Signals {
        /// Catches them from now on.
        pub(in crate::cli) fn catch() -> std::io::Result<Self> {
            let (caught, idle) = (Arc::<AtomicUsize>::default(), Arc::new(AtomicBool::new(true)));
            for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
                let number = usize::try_from(signal).unwrap_or_default();
                register_conditional_shutdown(signal, 128 + signal, Arc::clone(&idle))?;
                register_usize(signal, Arc::clone(&caught), number)?;
            }
            Ok(Signals { caught, idle })
        }

        /// Says whether a signal may end the process at once.
        pub(in crate::cli) fn idle(&self, idle: bool) {
            self.idle.store(idle, Ordering::SeqCst);
        }

        /// Gives the number of the signal that came, if one did.
        pub(in crate::cli) fn caught(&self) -> Option<u8> {
            u8::try_from(self.caught.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
        }

        /// Gives a command a group of its own, so that its children can be ended with it.
        pub(in crate::cli) fn set_apart(command: &mut Command) {
            command.process_group(0);
        }

        /// Asks a command to end, as Ctrl-C would; it takes care of its own children.
        pub(in crate::cli) fn ask(child: &Child) {
            let _gone_already = kill_process(Pid::from_child(child), Signal::TERM);
        }

        /// Ends a command and its children: they are asked to, and after five seconds made to.
        pub(in crate::cli) fn end(child: &mut Child) {
            let group = Pid::from_child(child);
            // A group that is gone already has ended as it should.
            let _gone_already = kill_process_group(group, Signal::TERM);
            let begun = Instant::now();
            while begun.elapsed() < GRACE {
                let _still_there = child.try_wait();
                if test_kill_process_group(group).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _gone_meanwhile = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
mod plain {
    use std::process::{Child, Command};

    /// Where there are no signals, nothing is caught, and a command is ended alone.
    pub(in crate::cli) struct Signals;

    impl Signals {
        pub(in crate::cli) fn catch() -> std::io::Result<Self> {
            Ok(Signals)
        }

        pub(in crate::cli) fn idle(&self, _idle: bool) {}

        pub(in crate::cli) fn caught(&self) -> Option<u8> {
            None
        }

        pub(in crate::cli) fn set_apart(_command: &mut Command) {}

        pub(in crate::cli) fn ask(child: &Child) {
            let _nothing_to_ask_with = child;
        }

        pub(in crate::cli) fn end(child: &mut Child) {
            let _gone_already = child.kill();
        }
    }
}
