//! The subject against what a real PD answered, and against servers that do not behave.
