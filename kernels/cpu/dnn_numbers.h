// Rows of numbers in memory's type and in float: cuDNN's math on half and bfloat16 is done in float and rounded once.
#pragma once

#include "dnn_api.h"

namespace sltt_cpu {

// y = x in float. `type` is x's.
void widen(float* y, const void* x, cudnnDataType_t type, size_t count);

// y = alpha * x + beta * y, rounded once to y's `type`; with beta 0 y is not read. x may be y.
void blend(void* y, cudnnDataType_t type, const float* x, float alpha, float beta, size_t count);

// The same, split among the threads.
void widen_parallel(float* y, const void* x, cudnnDataType_t type, size_t count);
void blend_parallel(void* y, cudnnDataType_t type, const float* x, float alpha, float beta, size_t count);

inline const void* element(const void* base, cudnnDataType_t type, size_t index) {
    return static_cast<const char*>(base) + index * (type == CUDNN_DATA_FLOAT ? 4 : 2);
}
inline void* element(void* base, cudnnDataType_t type, size_t index) {
    return static_cast<char*>(base) + index * (type == CUDNN_DATA_FLOAT ? 4 : 2);
}

// `count` numbers from x on as floats: x itself where it is float, else widened into `buffer`.
inline const float* as_floats(float* buffer, const void* x, cudnnDataType_t type, size_t count) {
    if (type == CUDNN_DATA_FLOAT) return static_cast<const float*>(x);
    widen(buffer, x, type, count);
    return buffer;
}

}  // namespace sltt_cpu

// A loop over numbers, compiled for several instruction sets; the best that the processor has is chosen at load.
#define SLTT_VECTORISED __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
