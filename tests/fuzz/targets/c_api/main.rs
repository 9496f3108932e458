//! Sequences of calls of the C library, as a program may make them: in any order, with wrong and missing arguments, but with
//! no handle after it was freed. Every text that comes out is read to its end, for the address sanitizer to look over.
//!
//! Input: an unstructured run of choices, see `choices`.
#![no_main]

mod callbacks;
mod calls;
mod choices;
mod facts;
mod pool;
mod world;

use cbpii_ffi::funds::cbpii_funds_confirmation_available;
use cbpii_fuzz::memory;
use choices::Choices;
use libfuzzer_sys::fuzz_target;
use world::World;

/// The most calls that one input makes.
const CALLS: usize = 48;

fuzz_target!(init: works(), |data: &[u8]| {
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

/// A program that does what programs do gets its yes. What is made once in a process is then made, and costs no input its
/// memory.
fn works() {
    let mut world = World::default();
    let mut choices = Choices::new(&[4, 0, 2, 0, 2, 2, 0, 0]);
    calls::program(&mut world, &mut choices);
    calls::funds(&mut world, &mut choices);
    // SAFETY: the handles of a pool are live.
    assert!(world.confirmations.has(|one| unsafe { cbpii_funds_confirmation_available(one) }));
    world.end(&mut choices);
}
