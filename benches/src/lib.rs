//! Load shapes.
