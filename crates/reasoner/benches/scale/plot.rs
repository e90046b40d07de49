//! Draws the growth, both axes logarithmic, beside what n log n would be.

use std::fmt::Write as _;
use std::time::Duration;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const EDGE: f64 = 60.0;

/// The points are (components, answer, sorting).
pub fn svg(points: &[(usize, Duration, Duration)]) -> String {
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    let answers: Vec<_> = points.iter().map(|(n, took, _)| (*n as f64, ms(*took))).collect();
    let sorting: Vec<_> = points.iter().map(|(n, _, took)| (*n as f64, ms(*took))).collect();
    let (first_n, first_ms) = answers.first().copied().unwrap_or((1.0, 1.0));
    let n_log_n: Vec<_> =
        answers.iter().map(|(n, _)| (*n, first_ms * (n * n.ln()) / (first_n * first_n.ln()))).collect();
    let all = || answers.iter().chain(&sorting).chain(&n_log_n);
    let bounds = |of: fn(&(f64, f64)) -> f64| {
        let least = all().map(of).fold(f64::INFINITY, f64::min).ln();
        let most = all().map(of).fold(f64::NEG_INFINITY, f64::max).ln();
        (least, (most - least).max(1e-9))
    };
    let (x0, xs) = bounds(|point| point.0);
    let (y0, ys) = bounds(|point| point.1);
    let place = |(n, took): (f64, f64)| {
        let x = EDGE + (n.ln() - x0) / xs * (WIDTH - 2.0 * EDGE);
        let y = HEIGHT - EDGE - (took.ln() - y0) / ys * (HEIGHT - 2.0 * EDGE);
        (x, y)
    };

    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let lines = [
        ("sorting each signal", &sorting, "#888888", ""),
        ("n log n, from the first answer on", &n_log_n, "#d29922", " stroke-dasharray=\"4 4\""),
        ("answer", &answers, "#1f6feb", ""),
    ];
    for (row, (name, line, colour, dash)) in lines.into_iter().enumerate() {
        let path: Vec<_> = line.iter().map(|point| place(*point)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let look = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}");
        let _ = writeln!(page, "<polyline points=\"{}\" {look}/>", path.join(" "));
        let y = 30.0 + 20.0 * row as f64;
        let _ = writeln!(page, "<polyline points=\"{EDGE},{y} {},{y}\" {look}/>", EDGE + 30.0);
        let _ = writeln!(page, "<text x=\"{}\" y=\"{}\">{name}</text>", EDGE + 38.0, y + 4.0);
    }
    for (n, took) in &answers {
        let (x, y) = place((*n, *took));
        let _ = writeln!(page, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#1f6feb\"/>");
        let _ =
            writeln!(page, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{n}</text>", HEIGHT - EDGE + 20.0);
        let _ = writeln!(page, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{took:.0} ms</text>", x, y + 20.0);
    }
    let _ = writeln!(
        page,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">components (50 signals each, 720 samples a signal)</text>\n</svg>",
        WIDTH / 2.0,
        HEIGHT - 12.0
    );
    page
}
