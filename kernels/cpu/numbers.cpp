// Conversions between half, bfloat16 and float, with the scaling and adding that cuDNN calls alpha and beta.
#include "numbers.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace sltt_cpu {
namespace {

constexpr size_t PIECE = 4096;  // elements of a thread's share

SLTT_VECTORISED void widen_bfloat16(float* __restrict__ y, const uint16_t* __restrict__ x, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(y + i, &bits, 4);
    }
}

// Round to nearest even; NaN stays NaN.
SLTT_VECTORISED void narrow_bfloat16(uint16_t* __restrict__ y, const float* __restrict__ x, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        uint32_t u;
        memcpy(&u, x + i, 4);
        uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
        y[i] = (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : rounded);
    }
}

__attribute__((target("avx,f16c"))) void widen_half_f16c(float* y, const _Float16* x, size_t count) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
    for (; i < count; ++i) y[i] = (float)x[i];
}
__attribute__((target("avx,f16c"))) void narrow_half_f16c(_Float16* y, const float* x, size_t count) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
    for (; i < count; ++i) y[i] = (_Float16)x[i];
}

bool has_f16c() {
    static const bool value = __builtin_cpu_supports("f16c");
    return value;
}

void widen_half(float* y, const _Float16* x, size_t count) {
    if (has_f16c()) return widen_half_f16c(y, x, count);
    for (size_t i = 0; i < count; ++i) y[i] = (float)x[i];
}
void narrow_half(_Float16* y, const float* x, size_t count) {
    if (has_f16c()) return narrow_half_f16c(y, x, count);
    for (size_t i = 0; i < count; ++i) y[i] = (_Float16)x[i];
}

SLTT_VECTORISED void scale(float* y, const float* x, float alpha, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = alpha * x[i];
}
SLTT_VECTORISED void scale_add(float* y, const float* x, float alpha, const float* z, float beta, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = alpha * x[i] + beta * z[i];
}

void narrow(void* y, Number type, const float* x, size_t count) {
    if (type == Number::Half)
        narrow_half(static_cast<_Float16*>(y), x, count);
    else
        narrow_bfloat16(static_cast<uint16_t*>(y), x, count);
}

template <class F> void in_pieces(size_t count, F f) {
    int64_t pieces = (int64_t)((count + PIECE - 1) / PIECE);
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pieces; ++p) {
        size_t begin = p * PIECE, end = begin + PIECE < count ? begin + PIECE : count;
        f(begin, end - begin);
    }
}

}  // namespace

void widen(float* y, const void* x, Number type, size_t count) {
    if (type == Number::Float)
        memcpy(y, x, count * sizeof(float));
    else if (type == Number::Half)
        widen_half(y, static_cast<const _Float16*>(x), count);
    else
        widen_bfloat16(y, static_cast<const uint16_t*>(x), count);
}

void blend(void* y, Number type, const float* x, float alpha, float beta, size_t count) {
    if (type == Number::Float) {
        float* out = static_cast<float*>(y);
        if (beta != 0)
            scale_add(out, x, alpha, out, beta, count);
        else if (out != x || alpha != 1)
            scale(out, x, alpha, count);
        return;
    }
    if (alpha == 1 && beta == 0) return narrow(y, type, x, count);
    constexpr size_t BLOCK = 256;
    float sum[BLOCK], old[BLOCK];
    for (size_t i = 0; i < count; i += BLOCK) {
        size_t n = count - i < BLOCK ? count - i : BLOCK;
        void* out = element(y, type, i);
        if (beta != 0) {
            widen(old, out, type, n);
            scale_add(sum, x + i, alpha, old, beta, n);
        } else {
            scale(sum, x + i, alpha, n);
        }
        narrow(out, type, sum, n);
    }
}

void widen_parallel(float* y, const void* x, Number type, size_t count) {
    in_pieces(count, [=](size_t i, size_t n) { widen(y + i, element(x, type, i), type, n); });
}
void blend_parallel(void* y, Number type, const float* x, float alpha, float beta, size_t count) {
    in_pieces(count, [=](size_t i, size_t n) { blend(element(y, type, i), type, x + i, alpha, beta, n); });
}
void add_parallel(float* terms_begin, size_t count, int terms) {
    in_pieces(count, [=](size_t i, size_t n) {
        float* sum = terms_begin + i;
        for (int t = 1; t < terms; ++t) scale_add(sum, sum, 1, sum + t * count, 1, n);
    });
}

}  // namespace sltt_cpu
