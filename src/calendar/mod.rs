//! Time zones, times of day, trading days, and the days on which something is due; the only room that
//! knows jiff.

mod clock;
mod date;
mod days;
mod nyse;
mod trading;
mod zone;

pub use clock::{Clock, TimeOfDay};
pub use date::Date;
pub use days::{Days, Nth};
pub use trading::{Calendar, Session, Standing};
pub use zone::Zone;

/// Lets a type be read from text and written as text, as YAML and JSON Schema see it.
macro_rules! spelled {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}
use spelled;
