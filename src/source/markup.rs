//! Text within XML, for every room that writes some.

/// Escapes for text and attributes alike. XML has no way at all to write two of the characters that
/// the house lets pass, so they are shown as it shows hidden ones.
pub fn in_xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => safe.extend(character.escape_unicode()),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back_as_it_was(text in "[ -~\u{fffd}-\u{ffff}ü]*") {
            let whole = format!("<a b=\"{0}\">{0}</a>", in_xml(&text));
            let document = roxmltree::Document::parse(&whole).expect("XML");
            let known = text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
            prop_assert_eq!(document.root_element().text().unwrap_or_default(), &known);
            prop_assert_eq!(document.root_element().attribute("b"), Some(known.as_str()));
        }
    }
}
