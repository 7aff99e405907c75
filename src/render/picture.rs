//! The only bridge to miette: one finding, or one failure, as something that it can draw.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan};
use miette::{NarratableReportHandler, ThemeCharacters, ThemeStyles};

use super::Style;
use super::excerpt::Excerpt;
use super::human::NARROWEST;
use super::{summary, text};
use crate::diagnostic::{Finding, Report, Severity};

/// What is drawn for one finding. All its text is safe for a terminal.
#[derive(Debug)]
pub(super) struct Picture {
    heading: String,
    severity: Severity,
    message: String,
    help: String,
    file: Option<File>,
    excerpt: Option<Excerpt>,
    label: String,
}

/// A file that is shown by its name alone.
#[derive(Debug)]
struct File(String);

impl Picture {
    /// Takes a finding of a report, which holds the text it points into.
    pub(super) fn of(finding: &Finding, report: &Report, style: Style) -> Self {
        let place = &finding.place;
        let excerpt = place.span.and_then(|span| {
            let file = report.texts.get(&place.path)?;
            Some(Excerpt::new(&place.path, file, span, style))
        });
        let whole = excerpt.is_none() && !place.path.as_bytes().is_empty();
        let file = whole.then(|| File(text::path(&place.path)));
        let label = finding.check.replace('-', " ");
        let heading = match style.narrated {
            true => finding.check.to_owned(),
            false => format!("{}[{}]", summary::severity(finding.severity), finding.check),
        };
        let words = Picture::new(heading, &finding.message, &finding.help, style);
        Picture { severity: finding.severity, file, excerpt, label, ..words }
    }

    /// Takes an error that lies in no file.
    pub(super) fn new(heading: String, message: &str, help: &str, style: Style) -> Self {
        let width = style.width.max(NARROWEST);
        Picture {
            heading,
            severity: Severity::Error,
            message: text::wrap(&text::one_line(message), width - 4),
            help: text::wrap(&text::lines(help), width - 8),
            file: None,
            excerpt: None,
            label: String::new(),
        }
    }

    /// Draws it, or tells it in sentences where that is asked for.
    pub(super) fn draw(&self, style: Style) -> String {
        let mut drawn = String::new();
        let result = if style.narrated {
            let narrator = NarratableReportHandler::new().without_cause_chain();
            narrator.render_report(&mut drawn, self)
        } else {
            GraphicalReportHandler::new_themed(theme(style))
                .with_links(false)
                .with_wrap_lines(false)
                .without_primary_span_start()
                .without_syntax_highlighting()
                .render_report(&mut drawn, self)
        };
        result.expect("a string takes all text, and an excerpt can always be read");
        if let Some(File(path)) = self.file.as_ref().filter(|_| style.narrated) {
            drawn.push_str(&format!("file: {path}\n"));
        }
        drawn
    }
}

/// Never miette's default theme: that one reads the environment.
fn theme(style: Style) -> GraphicalTheme {
    GraphicalTheme {
        characters: match style.unicode {
            true => ThemeCharacters::unicode(),
            false => ThemeCharacters::ascii(),
        },
        styles: if style.colour { ThemeStyles::ansi() } else { ThemeStyles::none() },
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Picture {
    /// The file hangs below the message, where miette draws a cause.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.file.as_ref().map(|file| file as _)
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for File {}

impl Diagnostic for Picture {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.heading))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = Some(&self.help).filter(|help| !help.is_empty());
        help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        let label = LabeledSpan::new_with_span(Some(self.label.clone()), excerpt.marked());
        Some(Box::new(std::iter::once(label)))
    }
}
