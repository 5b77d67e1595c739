//! t
use langso_simulator::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a[1] == "rate" {
        let n: u64 = a[2].parse().unwrap();
        let steps = a[3].parse().unwrap();
        let threads = a[4].parse().unwrap();
        let from = a.get(5).map_or(1, |x| x.parse().unwrap());
        let t = std::time::Instant::now();
        let r = run_many(
            Fleet {
                from,
                seeds: n,
                config: Config { steps, without: None, in_words: false },
                threads,
                stop_at_first: false,
            },
            |_| {},
        );
        let s = t.elapsed().as_secs_f64();
        println!(
            "{} steps {:.1}s {:.2}M/min saves {} applied {}",
            r.steps,
            s,
            r.steps as f64 * 60. / s / 1e6,
            r.saves,
            r.applied
        );
        println!("{:?}", r.counts);
        println!("{:?}", r.broken);
        return;
    }
    let seed: u64 = a[1].parse().unwrap();
    let steps = a[2].parse().unwrap();
    let r = run(seed, Config { steps, without: None, in_words: true }, &mut Pool::default());
    let n = r.words.len();
    for w in &r.words[n.saturating_sub(a.get(3).map_or(40, |x| x.parse().unwrap()))..] {
        println!("{w}")
    }
    println!("{:?}", r.broken);
}
