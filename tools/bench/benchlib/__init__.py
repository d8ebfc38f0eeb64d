"""The benchmark's parts; tools/bench/run and tools/bench/syscalls put them together."""
