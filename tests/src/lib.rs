//! Tests of the whole: crash, interop, wire.
