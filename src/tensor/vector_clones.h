// One function, compiled for several instruction sets.
// Not here: the loops.
#pragma once

/// Compiles a function for several instruction sets and picks one at start. Named by feature: names
/// of processors would match those processors alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TENFOLD_VECTOR_CLONES \
  __attribute__((optimize("O3"), target_clones("avx512f", "avx2", "default")))
#else
#define TENFOLD_VECTOR_CLONES
#endif
