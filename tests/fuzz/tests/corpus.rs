//! What the fuzzer found worth keeping, once more, on a plain build: the inputs that reach most, and every input that ever
//! showed a fault, whose name tells the story.

use highwater_fuzz::TARGETS;

/// One target by each of its inputs, the seeds among them.
fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let numbered = |kind: &'static str, inputs: Vec<Vec<u8>>| {
        inputs.into_iter().enumerate().map(move |(number, input)| (format!("{kind} {number}"), input))
    };
    let corpus = target.corpus().expect("reads");
    assert!(!corpus.is_empty(), "{name} has a corpus");
    let mut inputs = target.findings().expect("reads");
    inputs.extend(numbered("seed", (target.seeds)()));
    inputs.extend(numbered("corpus", corpus));
    for (input, bytes) in &inputs {
        let passed = std::panic::catch_unwind(|| (target.run)(bytes)).is_ok();
        assert!(passed, "{name}: {input} does not pass");
    }
    println!("{name}: {} inputs", inputs.len());
}

macro_rules! replays {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            replay(stringify!($name));
        }
    )*};
}

replays! { requests responses batches inflate journal segment machines }
