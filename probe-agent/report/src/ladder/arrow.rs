//! The arrow of one segment, between the two lifelines.

use model::step::{Certainty, Direction};

/// Draws `label` on an arrow of `width` characters.
///
/// ```text
/// ------------ SYN ------------>     seen
/// <- - - SYN-ACK retransmit - -      concluded
/// ------------ RST ------ x          lost
/// * timed out                        not a segment
/// ```
pub(super) fn arrow(
    label: &str,
    direction: Direction,
    certainty: Certainty,
    width: usize,
) -> String {
    let dashed = certainty == Certainty::Concluded;
    // Draw to the right first; an arrow to the left is the mirror image.
    let mut cells: Vec<char> =
        (0..width).map(|i| if dashed && (width - i) % 2 == 1 { ' ' } else { '-' }).collect();
    let text: Vec<char> = format!(" {label} ").chars().collect();
    let start = width.saturating_sub(text.len()) / 2;
    let end = (start + text.len()).min(width);
    match certainty {
        Certainty::Seen | Certainty::Concluded => {
            if let Some(last) = cells.last_mut() {
                *last = '>';
            }
        }
        Certainty::Lost => {
            // The cross is well before the other lifeline, but after the label.
            let cross = (end + 2).max(width.saturating_sub(width / 4)).min(width.saturating_sub(1));
            for (index, cell) in cells.iter_mut().enumerate().skip(cross.saturating_sub(1)) {
                *cell = if index == cross { 'x' } else { ' ' };
            }
        }
    }
    match direction {
        Direction::Out => {}
        Direction::In => {
            cells.reverse();
            cells.iter_mut().filter(|cell| **cell == '>').for_each(|cell| *cell = '<');
        }
        Direction::Here => return format!("{label:<width$}"),
    }
    for (cell, character) in cells.iter_mut().skip(start).zip(text) {
        *cell = character;
    }
    cells.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::arrow;
    use model::step::{
        Certainty::{Concluded, Lost, Seen},
        Direction::{Here, In, Out},
    };

    #[test]
    fn arrows() {
        for (label, direction, certainty, drawn) in [
            ("SYN", Out, Seen, "---------- SYN --------->"),
            ("SYN-ACK", In, Seen, "<------- SYN-ACK --------"),
            ("RST", Out, Lost, "---------- RST --- x     "),
            ("SYN-ACK", In, Lost, "     x - SYN-ACK --------"),
            ("RST", Out, Concluded, " - - - - - RST - - - - ->"),
            ("challenge ACK", In, Concluded, "<- - - challenge ACK - - - "),
            ("timed out", Here, Seen, "timed out               "),
        ] {
            assert_eq!(arrow(label, direction, certainty, drawn.len()), drawn, "{label}");
        }
    }
}
