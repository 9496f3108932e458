//! The handles of one type that a program holds.

use std::ptr;

use crate::choices::Choices;
use crate::facts::Facts;

/// Handles that are live, and how they are freed.
pub struct Pool<T> {
    live: Vec<*mut T>,
    free: unsafe extern "C" fn(*mut T),
}

/// What an argument of the type of a pool may be.
const NULL: u8 = 0;
const OF_ANOTHER_TYPE: u8 = 1;

impl<T: Facts> Pool<T> {
    pub fn new(free: unsafe extern "C" fn(*mut T)) -> Self {
        Self { live: Vec::new(), free }
    }

    /// A handle of this pool as an argument; sometimes NULL, or something that is no such handle.
    pub fn given(&self, choices: &mut Choices<'_>) -> *mut T {
        /// Memory with another tag than any handle has.
        static NO_HANDLE: [u64; 4] = [0x6e6f_5f68_616e_646c; 4];
        match choices.byte() {
            NULL => ptr::null_mut(),
            OF_ANOTHER_TYPE => ptr::from_ref(&NO_HANDLE).cast_mut().cast(),
            place if !self.live.is_empty() => self.live[usize::from(place) % self.live.len()],
            _ => ptr::null_mut(),
        }
    }

    /// Whether this is a handle of the pool.
    pub fn holds(&self, handle: *const T) -> bool {
        self.live.iter().any(|live| ptr::eq(*live, handle))
    }

    /// Whether one of the handles is such a one.
    pub fn has(&self, is_it: impl Fn(*const T) -> bool) -> bool {
        self.live.iter().any(|live| is_it(*live))
    }

    /// Keeps a handle that the library made, and reads what it says.
    pub fn keep(&mut self, handle: *mut T) {
        if !handle.is_null() {
            self.live.push(handle);
            // SAFETY: the library has just made it.
            unsafe { T::read(handle) }
        }
    }

    /// Reads what a handle says, whatever it is.
    pub fn read(&self, choices: &mut Choices<'_>) {
        // SAFETY: it is live, or the library tells that it is none.
        unsafe { T::read(self.given(choices)) }
    }

    /// Frees one, or NULL; returns which.
    pub fn free_one(&mut self, choices: &mut Choices<'_>) -> *mut T {
        let handle = self.given(choices);
        self.live.retain(|live| !ptr::eq(*live, handle));
        // SAFETY: nothing of this program holds it any more; of another type, it is left alone.
        unsafe { (self.free)(handle) };
        handle
    }

    /// Frees them all.
    pub fn free_all(&mut self) {
        for handle in self.live.drain(..) {
            // SAFETY: as above.
            unsafe { (self.free)(handle) };
        }
    }
}
