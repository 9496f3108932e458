//! Sequences of calls of the C library, as a program may make them: in any order, with wrong and missing arguments, but with
//! no handle after it was freed. Every text that comes out is read to its end, for the address sanitizer to look over.
//!
//! Input: an unstructured run of choices, see `choices`.
#![no_main]

mod calls;
mod callbacks;
mod choices;
mod facts;
mod pool;
mod world;

use cbpii_fuzz::memory;
use choices::Choices;
use libfuzzer_sys::fuzz_target;
use world::World;

/// The most calls that one input makes.
const CALLS: usize = 48;

fuzz_target!(|data: &[u8]| {
    World::warm_up();
    memory::limited(|| {
        let mut choices = Choices::new(data);
        let mut world = World::default();
        for _ in 0..CALLS {
            let Some(call) = choices.one_of(calls::ALL) else { break };
            call(&mut world, &mut choices);
        }
        world.end(&mut choices);
    });
});
