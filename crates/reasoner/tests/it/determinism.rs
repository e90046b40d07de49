#[test]
#[ignore]
fn show() {
    let fault: usize = std::env::var("F").unwrap().parse().unwrap();
    let seed: u64 = std::env::var("S").unwrap().parse().unwrap();
    let w = crate::world::World::with(crate::world::Fault::ALL[fault], seed);
    println!("{:?} {:?}", w.truth, w.shape);
    let p = w.pack();
    for i in &p.items {
        println!("{} {} [{}] {}", i.id, i.at, i.on.to_text(), i.statement);
    }
    let d = w.diagnosis();
    println!("{}", d.to_markdown());
    for h in std::iter::once(&d.primary).chain(d.alternatives.iter().map(|a| &a.hypothesis)).take(4) {
        println!("== {} {} p={:.3} s={:.2}", h.class, h.locus, h.probability, h.score);
        for e in h.supporting.iter().chain(&h.contradicting) {
            println!("    {} {:+.2} {}", e.id, e.weight, e.because);
        }
    }
}
