//! The few shapes of SVG that a plot needs.

use std::fmt::Write as _;

const INK: &str = "#1a202c";

/// Keeps a text legible where a line crosses it.
const HALO: &str = r#"paint-order="stroke" stroke="white" stroke-width="3""#;

/// Where a text's coordinates are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A plot that is being drawn.
pub(crate) struct Canvas {
    width: f64,
    height: f64,
    shapes: String,
}

impl Canvas {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: String::new() }
    }

    pub(crate) fn rectangle(&mut self, at: (f64, f64), size: (f64, f64), colour: &str) {
        self.shape(format_args!(
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{colour}"/>"#,
            at.0, at.1, size.0, size.1
        ));
    }

    /// A line; `dashes` as SVG writes them, empty for none.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, dashes: &str) {
        self.shape(format_args!(
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{colour}" stroke-dasharray="{dashes}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    /// Straight lines from point to point, with a dot on each.
    pub(crate) fn curve(&mut self, points: &[(f64, f64)], colour: &str) {
        let mut path = String::new();
        for (x, y) in points {
            // Writing to a string cannot fail.
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        self.shape(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            path.trim_end()
        ));
        for (x, y) in points {
            self.shape(format_args!(
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="2.6" fill="{colour}"/>"#
            ));
        }
    }

    pub(crate) fn text(&mut self, at: (f64, f64), size: u32, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.shape(format_args!(
            r#"<text x="{:.1}" y="{:.1}" font-size="{size}" text-anchor="{anchor}" fill="{INK}" {HALO}>{text}</text>"#,
            at.0, at.1
        ));
    }

    /// Text that runs upwards, centred.
    pub(crate) fn upward(&mut self, at: (f64, f64), size: u32, text: &str) {
        self.shape(format_args!(
            r#"<text transform="translate({:.1},{:.1}) rotate(-90)" font-size="{size}" text-anchor="middle" fill="{INK}">{text}</text>"#,
            at.0, at.1
        ));
    }

    /// The whole file; `title` is for screen readers.
    pub(crate) fn finish(self, title: &str) -> String {
        let Self { width, height, shapes } = self;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif" role="img">
<title>{title}</title>
<rect width="100%" height="100%" fill="white"/>
{shapes}</svg>
"#
        )
    }

    fn shape(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.shapes, "{shape}");
    }
}
