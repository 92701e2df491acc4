//! The corpora as files, for the fuzzer: `fuzz-corpus unpack TARGET FOLDER`, and back: `fuzz-corpus pack TARGET FOLDER`.

use std::path::Path;
use std::process::ExitCode;

use highwater_fuzz::TARGETS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, verb, name, folder] = &arguments[..] else {
        eprintln!("usage: fuzz-corpus pack|unpack TARGET FOLDER");
        return ExitCode::FAILURE;
    };
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        eprintln!("no target {name}; there are {}", TARGETS.map(|target| target.name).join(", "));
        return ExitCode::FAILURE;
    };
    let folder = Path::new(folder);
    match if verb == "pack" { target.pack(folder) } else { target.unpack(folder) } {
        Ok(count) => println!("{verb} {name}: {count} inputs"),
        Err(error) => {
            eprintln!("cannot {verb} {name} with {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
