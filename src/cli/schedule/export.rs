//! `orch schedule export`: stub.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {}
impl Export {
    pub(super) fn run(
        self,
        _context: &crate::cli::context::Context,
    ) -> Result<(), crate::cli::Stop> {
        Ok(())
    }
}
