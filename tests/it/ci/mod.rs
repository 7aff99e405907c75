//! What CI services run of ours, run as they do: with their variables, their events and their shallow clones.

mod github;
mod gitlab;
mod installed;
mod runner;
mod written;
