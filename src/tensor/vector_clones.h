// One function, compiled for several instruction sets.
// Not here: the loops.
#pragma once

/// Compiles a function for several instruction sets and picks one at start. Named by feature or
/// level: names of processors would match those processors alone. The level with AVX-512 has its
/// 16-bit operations too, which bfloat16 rows need.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TENFOLD_VECTOR_CLONES \
  __attribute__((optimize("O3"), target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define TENFOLD_VECTOR_CLONES
#endif
