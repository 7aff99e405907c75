//! An overview as one page for a browser, with its own style and pictures, and nothing from elsewhere.

mod board;
mod charts;
mod element;
mod graph;
mod lives;
mod page;
mod parts;
mod people;
mod plot;
mod scale;
mod shown;
mod style;
#[cfg(test)]
mod tests;
mod trouble;

pub use page::page;
