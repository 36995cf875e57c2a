// Arrays of numbers in memory's type and in float: math on half and bfloat16 is done in float and rounded once.
#pragma once

#include <stddef.h>

#include "number_type.h"

namespace sltt_cpu {

inline size_t bytes_of(Number type) { return type == Number::Float ? 4 : 2; }
inline const char* name_of(Number type) { return type == Number::Float ? "float32" : type == Number::Half ? "float16" : "bfloat16"; }

inline const void* element(const void* array, Number type, size_t index) {
    return static_cast<const char*>(array) + index * bytes_of(type);
}
inline void* element(void* array, Number type, size_t index) { return static_cast<char*>(array) + index * bytes_of(type); }

// y = x in float. `type` is x's.
void widen(float* y, const void* x, Number type, size_t count);

// y = alpha * x + beta * y, rounded once to y's `type`; with beta 0 y is not read. x may be y.
void blend(void* y, Number type, const float* x, float alpha, float beta, size_t count);

// The same, split among the threads.
void widen_parallel(float* y, const void* x, Number type, size_t count);
void blend_parallel(void* y, Number type, const float* x, float alpha, float beta, size_t count);

// Adds up `terms` arrays of `count` floats that follow one another, in order and into the first, split among the threads.
void add_parallel(float* terms_begin, size_t count, int terms);

// `count` numbers from x on as floats: x itself where it is float, else widened into `buffer`.
inline const float* as_floats(float* buffer, const void* x, Number type, size_t count) {
    if (type == Number::Float) return static_cast<const float*>(x);
    widen(buffer, x, type, count);
    return buffer;
}

}  // namespace sltt_cpu

// A loop over numbers, compiled for several instruction sets; the best that the processor has is chosen at load.
#define SLTT_VECTORISED __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
