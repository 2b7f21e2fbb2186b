//! YAML 1.2. The parser stops at the first error of syntax.

mod builder;
mod open;

use saphyr_parser::{Event, Marker, Parser, Span};

use self::builder::Builder;
use super::{Fault, Node, limits::TOO_DEEP};
use crate::position::Position;

/// Parses a text that has one document.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Fault>) {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                return (None, builder.into_faults(syntax(error.marker(), error.info())));
            }
        };
        let position = position(span);
        documents += usize::from(matches!(event, Event::DocumentStart(_)));
        if documents > 1 {
            let text = "a second document; a file has one: remove the line '---'";
            return (None, builder.into_faults(Fault::new(position, text)));
        }
        if let Err(fault) = builder.event(event, position) {
            return (None, builder.into_faults(fault));
        }
    }
    builder.finish()
}

fn position(span: Span) -> Position {
    Position::new(span.start.line(), span.start.col() + 1)
}

/// An error of the parser, with the remedy for the commonest cause.
fn syntax(mark: &Marker, info: &str) -> Fault {
    let position = Position::new(mark.line(), mark.col() + 1);
    if info.contains("recursion limit") {
        return Fault::new(position, TOO_DEEP);
    }
    let remedy = if info.contains("tab") {
        "indent with spaces"
    } else {
        "check indentation, quotes and brackets here and above"
    };
    Fault::new(position, format!("not YAML: {info}; {remedy}"))
}
