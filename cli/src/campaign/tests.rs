//! Tests.
use super::*;
#[test]
fn show() {
    let p = Parameters::packaged().unwrap();
    let l = generate(&p, p.seed).unwrap();
    for r in tally(&l) {
        println!("{r:?}");
    }
    for r in totals(&l) {
        println!("{r:?}");
    }
    println!("{}", l.events.len());
}
