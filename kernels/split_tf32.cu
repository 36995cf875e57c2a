// split_tf32: splits numbers into two parts that TF32 holds exactly, for products with spikes on tensor cores.
//
//   high = x rounded to TF32 (11 significant bits, to nearest, ties to even);  low = (x - high) rounded to TF32
//   x = high + low, to within one unit in the last place of a float
//
// A spike is 0 or 1, so its product with a part is exact, and so is the tensor core's. x, high, low: (n) float. A number that is not
// finite, or that rounds beyond the largest float, is its own high part, with 0 as the low one.
// Bytes an element: reads 4, writes 8. Overwrites high and low; high may be x.
// Numerics: exact but for the low part's rounding.
#include "common/sltt.cuh"

namespace sltt {

// To nearest, ties to even: the 13 bits that TF32 has not are rounded away. A mantissa that overflows carries into the exponent.
__device__ inline float round_to_tf32(float x) {
    uint32_t bits = __float_as_uint(x);
    uint32_t rounded = (bits + 0x0fffu + ((bits >> 13) & 1u)) & ~0x1fffu;
    float result = __uint_as_float(rounded);
    return is_finite(x) && is_finite(result) ? result : x;
}

__device__ inline void split_tf32_body(float* high, float* low, const float* x, int64_t n) {
    for_elements<float>(n, [=](auto lanes, int64_t i) {
        constexpr int V = decltype(lanes)::value;
        Pack<V> value = load<V, STREAM>(x, i), upper, lower;
        for (int k = 0; k < V; ++k) {
            float h = round_to_tf32(value.v[k]);
            upper.v[k] = h;
            lower.v[k] = is_finite(h) ? round_to_tf32(value.v[k] - h) : 0.0f;
        }
        store<V>(high, i, upper);
        store<V>(low, i, lower);
    });
}

SLTT_KERNEL(split_tf32, (float* high, float* __restrict__ low, const float* x, int64_t n), split_tf32_body(high, low, x, n))

}  // namespace sltt
