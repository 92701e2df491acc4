//! The machines: pure decisions and folds.
