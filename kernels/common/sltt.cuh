// What every kernel of the engine is written with: number types, shares of work, sums, random numbers.
//
// The same kernel source is compiled three ways:
//   nvcc                 the GPU. A block's share of the work is strided over its threads, 16 bytes an access.
//   g++ -DSLTT_FAITHFUL  the CPU device's test mode. Every CUDA thread really runs (kernels/cpu/faithful.h supplies
//                        threadIdx, __syncthreads, shuffles and ballots); the code below is the GPU's.
//   g++ -DSLTT_FAST      the CPU device. A block is one thread, its share one contiguous loop that g++ vectorises.
// No kernel assumes a block size (up to MAX_BLOCK threads), a grid size, or that it is alone.
// No contraction of a*b+c on either side (-fmad=false, -ffp-contract=off): an ulp can become a spike.
#pragma once

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>
#define SLTT_VARIANT gpu
#define SLTT_IVDEP
#define SLTT_UNROLL _Pragma("unroll")
// Defines the kernel `name` with C linkage; `params` is its parenthesised parameter list, the body follows as a call.
#define SLTT_KERNEL(name, params, ...) \
    extern "C" __global__ void name params { __VA_ARGS__; }
#else
#include <math.h>
#include <stdint.h>
#include "../cpu/kernel_host.h"  // __device__ & co., threadIdx & co., SLTT_KERNEL: registers a trampoline by name
#define SLTT_IVDEP _Pragma("GCC ivdep")
#define SLTT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace SLTT_VARIANT {

constexpr int MAX_BLOCK = 1024;

// ---- Number types: stored as float, f16 or bf16, computed in float ---------------------------------------------------

using f32 = float;
#if defined(__CUDACC__)
using f16 = __half;
using bf16 = __nv_bfloat16;
__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(f16 x) { return __half2float(x); }
__device__ inline float to_float(bf16 x) { return __bfloat162float(x); }
template <class T> __device__ inline T from_float(float x);
template <> __device__ inline float from_float<float>(float x) { return x; }
template <> __device__ inline f16 from_float<f16>(float x) { return __float2half_rn(x); }
template <> __device__ inline bf16 from_float<bf16>(float x) { return __float2bfloat16_rn(x); }
__device__ inline uint32_t float_bits(float x) { return __float_as_uint(x); }
__device__ inline float float_of_bits(uint32_t u) { return __uint_as_float(u); }
#else
// Bits and integer arithmetic without branches: g++ vectorises these, but not its own _Float16.
struct f16 { uint16_t bits; };
struct bf16 { uint16_t bits; };
__device__ inline uint32_t float_bits(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, 4);
    return u;
}
__device__ inline float float_of_bits(uint32_t u) {
    float x;
    __builtin_memcpy(&x, &u, 4);
    return x;
}
__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(f16 x) {
    uint32_t u = (uint32_t)(x.bits & 0x7fffu) << 13, exponent = u & 0x0f800000u;
    float normal = float_of_bits(u + (exponent == 0x0f800000u ? 0x70000000u : 0x38000000u));  // inf and NaN keep the top exponent
    float subnormal = float_of_bits(u + 0x38800000u) - float_of_bits(0x38800000u);            // 2^-14 (1 + f) - 2^-14
    return float_of_bits(float_bits(exponent == 0 ? subnormal : normal) | (uint32_t)(x.bits & 0x8000u) << 16);
}
__device__ inline float to_float(bf16 x) { return float_of_bits((uint32_t)x.bits << 16); }
template <class T> __device__ inline T from_float(float x);
template <> __device__ inline float from_float<float>(float x) { return x; }
template <> __device__ inline f16 from_float<f16>(float x) {  // round to nearest even, overflow to inf; NaN stays NaN
    uint32_t u = float_bits(x), sign = u & 0x80000000u;
    u ^= sign;
    uint32_t normal = (u + 0xc8000fffu + ((u >> 13) & 1u)) >> 13;                        // exponent bias 127 to 15
    uint32_t subnormal = float_bits(float_of_bits(u) + float_of_bits(0x3f000000u)) - 0x3f000000u;  // the adder rounds at 2^-24
    uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    uint32_t h = u >= 0x47800000u ? special : u < 0x38800000u ? subnormal : normal;
    return f16{(uint16_t)(h | sign >> 16)};
}
template <> __device__ inline bf16 from_float<bf16>(float x) {  // round to nearest even; NaN stays NaN
    uint32_t u = float_bits(x);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    uint32_t nan = (u >> 16) | 0x40u;
    return bf16{(uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded)};
}
#endif

// One variant of a kernel for each number type: SLTT_FOR_EACH_TYPE(VARIANT) calls VARIANT(T, suffix).
#define SLTT_FOR_EACH_TYPE(VARIANT) VARIANT(f32, f32) VARIANT(f16, f16) VARIANT(bf16, bf16)

// 1 if x is inf or NaN.
__device__ inline int not_finite(float x) { return (float_bits(x) & 0x7f800000u) == 0x7f800000u ? 1 : 0; }

// e^x for x <= 0 (below -87 as at -87), within 2 ulp; NaN stays NaN. The same bits on every device, unlike expf, and
// g++ vectorises it. Range reduction by ln 2 in two parts, polynomial of Cephes' expf (Moshier).
__device__ inline float exp_of_negative(float x) {
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the integer nearest to x / ln 2 is in the low bits
    float n = shifted - 12582912.0f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * float_of_bits((float_bits(shifted) << 23) + 0x3f800000u);
}

// The number that was meant by a float of few decimals, 0.999 for 0.999f: 1 - beta2 would else be 1e-5 off.
__device__ inline double as_decimal(float x) { return rint((double)x * 1e7) / 1e7; }

// ---- Decisions made once a launch ------------------------------------------------------------------------------------

// with(b, ..., f) calls f(b, ...). Where loops are vectorised each value of b gets its own loop (b is then a constant of its
// type); on the GPU a uniform branch costs nothing and the code stays small.
#if defined(SLTT_FAST)
struct Yes { constexpr operator bool() const { return true; } };
struct No { constexpr operator bool() const { return false; } };
template <class F> inline void with(bool a, F f) {
    if (a) f(Yes{});
    else f(No{});
}
#else
template <class F> __device__ inline void with(bool a, F f) { f(a); }
#endif
template <class F> __device__ inline void with(bool a, bool b, F f) {
    with(a, [&](auto x) { with(b, [&](auto y) { f(x, y); }); });
}
template <class F> __device__ inline void with(bool a, bool b, bool c, F f) {
    with(a, [&](auto x) { with(b, c, [&](auto y, auto z) { f(x, y, z); }); });
}
template <class F> __device__ inline void with(bool a, bool b, bool c, bool d, F f) {
    with(a, b, [&](auto x, auto y) { with(c, d, [&](auto z, auto w) { f(x, y, z, w); }); });
}

// ---- Packs: V neighbouring elements, computed in float ---------------------------------------------------------------

template <int V> struct Lanes { static constexpr int value = V; };
template <int V> struct Pack {
    float v[V];
    __device__ float& operator[](int k) { return v[k]; }
    __device__ const float& operator[](int k) const { return v[k]; }
};
// K packs: the terms of K sums, or the values of K per-channel parameters.
template <int K, int V> struct Packs {
    Pack<V> k[K > 0 ? K : 1];
    __device__ Pack<V>& operator[](int i) { return k[i]; }
    __device__ const Pack<V>& operator[](int i) const { return k[i]; }
};

// Elements in 16 bytes.
template <class T> constexpr int pack_width = 16 / (int)sizeof(T);

template <class T, int V> struct alignas(V * sizeof(T) < 16 ? V * sizeof(T) : 16) RawPack { T v[V]; };

// Reads V elements at p + i; p + i is aligned to min(16, V * sizeof(T)) bytes.
template <int V, class T> __device__ inline Pack<V> load(const T* p, int64_t i) {
    RawPack<T, V> raw = *reinterpret_cast<const RawPack<T, V>*>(p + i);
    Pack<V> out;
    for (int k = 0; k < V; ++k) out.v[k] = to_float(raw.v[k]);
    return out;
}
// Writes V elements at p + i, rounded to T.
template <int V, class T> __device__ inline void store(T* p, int64_t i, const Pack<V>& x) {
    RawPack<T, V> raw;
    for (int k = 0; k < V; ++k) raw.v[k] = from_float<T>(x.v[k]);
    *reinterpret_cast<RawPack<T, V>*>(p + i) = raw;
}
template <int V> __device__ inline Pack<V> splat(float x) {
    Pack<V> out;
    for (int k = 0; k < V; ++k) out.v[k] = x;
    return out;
}
// The value as memory of type T will hold it.
template <class T> __device__ inline float rounded(float x) { return to_float(from_float<T>(x)); }

// ---- Random numbers: Philox4x32-10 (Salmon et al., SC 2011) ----------------------------------------------------------

struct Random4 { uint32_t x[4]; };

__device__ inline Random4 philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t seed) {
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    SLTT_UNROLL
    for (int round = 0; round < 10; ++round) {
        uint32_t high0 = (uint32_t)(((uint64_t)0xD2511F53u * c0) >> 32), low0 = 0xD2511F53u * c0;
        uint32_t high1 = (uint32_t)(((uint64_t)0xCD9E8D57u * c2) >> 32), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}
// Uniform in [0, 1), 24 bits.
__device__ inline float uniform(uint32_t bits) { return (float)(int32_t)(bits >> 8) * (1.0f / 16777216.0f); }

// ---- Run state: what differs between steps and iterations, read from device memory -----------------------------------

struct RunState {
    // Written by the host before each iteration (24 bytes).
    float lr;            // learning rate of the update that ends this iteration
    int32_t t;           // time step; advance_step adds 1
    uint64_t seed;       // of the run
    uint64_t iteration;  // counts training iterations of the run; with seed and layer it names a dropout mask
    // Kept by the device (40 bytes).
    float loss_scale;    // the loss is multiplied by it before backward; 1 without AMP float16
    float grad_scale;    // 1 / loss_scale
    float bias_correction1, bias_correction2;  // 1 - beta^steps of AdamW
    int32_t overflow;    // not 0: a gradient of this iteration is inf or nan
    int32_t good_steps;  // updates since the loss scale last changed
    int64_t optimizer_steps;
    int64_t skipped_steps;
};
static_assert(sizeof(RunState) == 64, "the host mirrors this struct");

// Which neurons' spikes pass: one mask for all time steps of an iteration (layer.Dropout of spikingjelly).
// The mask of element i is word i % 4 of Philox at (i / 4, layer, iteration): any kernel makes it anew from the index.
struct Dropout {
    float rate, scale;  // scale = 1 / (1 - rate); rate 0: everything passes
    uint32_t layer;
    uint64_t seed, iteration;
};
__device__ inline Dropout dropout(float rate, uint32_t layer, const RunState* state) {
    Dropout d = {rate, 1.0f / (1.0f - rate), layer, 0, 0};
    if (rate > 0.0f) {
        d.seed = state->seed;
        d.iteration = state->iteration;
    }
    return d;
}
__device__ inline Dropout no_dropout() { return {0.0f, 1.0f, 0, 0, 0}; }

__device__ inline Random4 dropout_words(const Dropout& d, int64_t quad) {
    return philox((uint32_t)quad, (uint32_t)(quad >> 32) ^ (d.layer << 8), (uint32_t)d.iteration, (uint32_t)(d.iteration >> 32), d.seed);
}
// 0 or 1/(1-rate) for the V elements from i on; i is a multiple of V, V is 1 or a multiple of 4.
template <int V> __device__ inline Pack<V> dropout_mask(const Dropout& d, int64_t i) {
    Pack<V> mask = splat<V>(1.0f);
    if (d.rate <= 0.0f) return mask;
    for (int k = 0; k < V; k += 4) {
        Random4 r = dropout_words(d, (i + k) >> 2);
        for (int j = 0; j < 4 && k + j < V; ++j) {
            uint32_t word = V == 1 ? ((i & 2) ? ((i & 1) ? r.x[3] : r.x[2]) : ((i & 1) ? r.x[1] : r.x[0])) : r.x[j];
            mask.v[k + j] = uniform(word) >= d.rate ? d.scale : 0.0f;
        }
    }
    return mask;
}

// ---- Shares of work --------------------------------------------------------------------------------------------------

#if defined(SLTT_FAST)
// The block's contiguous share [begin, end) of n items, cut at multiples of `unit`.
struct Share { int64_t begin, end; };
inline Share block_share(int64_t n, int64_t unit) {
    int64_t units = (n + unit - 1) / unit, blocks = gridDim.x, b = blockIdx.x;
    int64_t begin = units * b / blocks * unit, end = units * (b + 1) / blocks * unit;
    return {begin, end < n ? end : n};
}

// Loops over activations go tile by tile: what is not an element's own (its channel's parameters, its dropout mask) is
// laid out beside the tile first, so that the loop over the tile is plain and vectorises whatever the number of channels.
constexpr int TILE = 512;

struct MaskTile {
    alignas(64) float mask[TILE + 8];
    MaskTile() {
        for (int j = 0; j < TILE + 8; ++j) mask[j] = 1.0f;
    }
    // The masks of the elements [first, first + count).
    const float* of(const Dropout& d, int64_t first, int count) {
        if (d.rate <= 0.0f) return mask;
        int64_t quad = first >> 2;
        int quads = (int)(((first + count + 3) >> 2) - quad);
        Dropout c = d;
        float* m = mask;
        SLTT_IVDEP
        for (int q = 0; q < quads; ++q) {
            Random4 r = dropout_words(c, quad + q);
            m[4 * q] = uniform(r.x[0]) >= c.rate ? c.scale : 0.0f;
            m[4 * q + 1] = uniform(r.x[1]) >= c.rate ? c.scale : 0.0f;
            m[4 * q + 2] = uniform(r.x[2]) >= c.rate ? c.scale : 0.0f;
            m[4 * q + 3] = uniform(r.x[3]) >= c.rate ? c.scale : 0.0f;
        }
        return mask + (first & 3);
    }
};
#else
__device__ inline int64_t thread_index() { return (int64_t)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline int64_t thread_count() { return (int64_t)gridDim.x * blockDim.x; }
#endif

// f(lanes, i) for every element i in [0, n): lanes.value elements from i on. T: the type whose 16 bytes make a pack.
template <class T, class F> __device__ inline void for_elements(int64_t n, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    SLTT_IVDEP
    for (int64_t i = s.begin; i < s.end; ++i) f(Lanes<1>{}, i);
#else
    constexpr int V = pack_width<T>;
    int64_t packs = n / V, stride = thread_count(), first = thread_index();
    for (int64_t p = first; p < packs; p += stride) f(Lanes<V>{}, p * V);
    for (int64_t i = packs * V + first; i < n; i += stride) f(Lanes<1>{}, i);
#endif
}

// The same with dropout: f(lanes, i, mask), mask a Pack of 0 or 1/(1-rate).
template <class T, class F> __device__ inline void for_elements(int64_t n, Dropout d, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    MaskTile masks;
    for (int64_t first = s.begin; first < s.end; first += TILE) {
        int count = s.end - first < TILE ? (int)(s.end - first) : TILE;
        const float* mask = masks.of(d, first, count);
        SLTT_IVDEP
        for (int j = 0; j < count; ++j) f(Lanes<1>{}, first + j, Pack<1>{{mask[j]}});
    }
#else
    for_elements<T>(n, [&](auto lanes, int64_t i) { f(lanes, i, dropout_mask<decltype(lanes)::value>(d, i)); });
#endif
}

// 1 in any thread that has an element i with f(lanes, i) not 0; f may also write.
template <class T, class F> __device__ inline int any_element(int64_t n, F f) {
    int any = 0;
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    SLTT_IVDEP
    for (int64_t i = s.begin; i < s.end; ++i) any |= f(Lanes<1>{}, i);
#else
    for_elements<T>(n, [&](auto lanes, int64_t i) { any |= f(lanes, i); });
#endif
    return any;
}

// P per-channel parameters, float; a null one reads as 0.
template <int P> struct PerChannel { const float* p[P > 0 ? P : 1]; };

#if defined(SLTT_FAST)
// The parameters of `width` channels from c0 on, `group` times side by side.
template <int P> struct ParameterTile {
    alignas(64) float value[P > 0 ? P : 1][TILE];
    void fill(const PerChannel<P>& parameters, int c0, int width, int group) {
        for (int i = 0; i < P; ++i)
            for (int g = 0; g < group; ++g)
                for (int c = 0; c < width; ++c) value[i][g * width + c] = parameters.p[i] ? parameters.p[i][c0 + c] : 0.0f;
    }
    Packs<P, 1> at(int j) const {
        Packs<P, 1> out;
        for (int i = 0; i < P; ++i) out.k[i].v[0] = value[i][j];
        return out;
    }
};
// How many rows of `channels` make a tile.
inline int rows_in_tile(int channels, int64_t rows) {
    int64_t group = channels < TILE ? TILE / channels : 1;
    return (int)(group < rows ? group : rows > 0 ? rows : 1);
}
#else
template <int V, int P> __device__ inline Packs<P, V> load_parameters(const PerChannel<P>& parameters, int c) {
    Packs<P, V> out;
    for (int i = 0; i < P; ++i) out.k[i] = parameters.p[i] ? load<V>(parameters.p[i], c) : splat<V>(0.0f);
    return out;
}
template <int V, int P, class F>
__device__ inline void for_packs_of_rows(int64_t rows, int channels, const PerChannel<P>& parameters, const Dropout& d, F& f) {
    int64_t packs = rows * channels / V, stride = thread_count(), p = thread_index();
    if (p >= packs) return;
    int c = (int)(p * V % channels), step = (int)(stride * V % channels);
    Packs<P, V> own = load_parameters<V>(parameters, c);
    for (; p < packs; p += stride) {
        f(Lanes<V>{}, p * V, own, dropout_mask<V>(d, p * V));
        if (step != 0) {
            c += step;
            if (c >= channels) c -= channels;
            own = load_parameters<V>(parameters, c);
        }
    }
}
#endif

// f(lanes, i, parameters, mask) for every element i = row * channels + c of a (rows, channels) matrix, NHWC with
// rows = N*H*W: parameters is Packs<P, V>, those of the element's channel; mask as in for_elements.
template <class T, int P, class F>
__device__ inline void for_rows_channels(int64_t rows, int channels, PerChannel<P> parameters, Dropout d, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(rows, 1);
    if (s.begin >= s.end) return;
    int group = rows_in_tile(channels, s.end - s.begin);
    ParameterTile<P> own;
    MaskTile masks;
    for (int c0 = 0; c0 < channels; c0 += TILE) {
        int width = channels - c0 < TILE ? channels - c0 : TILE;
        own.fill(parameters, c0, width, group);
        for (int64_t r = s.begin; r < s.end; r += group) {
            int64_t base = r * channels + c0;
            int count = (int)(s.end - r < group ? s.end - r : group) * width;
            const float* mask = masks.of(d, base, count);
            SLTT_IVDEP
            for (int j = 0; j < count; ++j) f(Lanes<1>{}, base + j, own.at(j), Pack<1>{{mask[j]}});
        }
    }
#else
    constexpr int V = pack_width<T>;
    if (channels % V == 0) for_packs_of_rows<V>(rows, channels, parameters, d, f);
    else for_packs_of_rows<1>(rows, channels, parameters, d, f);
#endif
}

// f(lanes, row, c) for every pack of channels of every row: for kernels that find their inputs from the row themselves.
template <class T, class F> __device__ inline void for_row_packs(int64_t rows, int channels, F f) {
#if defined(SLTT_FAST)
    constexpr int V = 16;
    Share s = block_share(rows, 1);
    for (int64_t r = s.begin; r < s.end; ++r) {
        int c = 0;
        for (; c + V <= channels; c += V) f(Lanes<V>{}, r, c);
        for (; c < channels; ++c) f(Lanes<1>{}, r, c);
    }
#else
    constexpr int V = pack_width<T>;
    int64_t stride = thread_count();
    if (channels % V == 0)
        for (int64_t p = thread_index(), packs = rows * (channels / V); p < packs; p += stride) f(Lanes<V>{}, p / (channels / V), (int)(p % (channels / V)) * V);
    else
        for (int64_t p = thread_index(), all = rows * channels; p < all; p += stride) f(Lanes<1>{}, p / channels, (int)(p % channels));
#endif
}

// f(line, j) for every j in [0, width) of every line: neighbouring threads get neighbouring j.
template <class F> __device__ inline void for_lines(int64_t lines, int width, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(lines, 1);
    for (int64_t line = s.begin; line < s.end; ++line) {
        SLTT_IVDEP
        for (int j = 0; j < width; ++j) f(line, j);
    }
#else
    for (int64_t p = thread_index(), all = lines * width, stride = thread_count(); p < all; p += stride) f(p / width, (int)(p % width));
#endif
}

// f(i) for every i in [0, n), one a thread: per-channel work.
template <class F> __device__ inline void for_items(int64_t n, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 1);
    for (int64_t i = s.begin; i < s.end; ++i) f(i);
#else
    for (int64_t i = thread_index(), stride = thread_count(); i < n; i += stride) f(i);
#endif
}

// f(i) for every i in [0, n), one a block: rows that a whole block works on.
template <class F> __device__ inline void for_blocks(int64_t n, F f) {
    for (int64_t i = blockIdx.x; i < n; i += gridDim.x) f(i);
}
// f(j) for every j in [0, n) by the block's threads.
template <class F> __device__ inline void for_block_items(int n, F f) {
#if defined(SLTT_FAST)
    SLTT_IVDEP
    for (int j = 0; j < n; ++j) f(j);
#else
    for (int j = (int)threadIdx.x; j < n; j += (int)blockDim.x) f(j);
#endif
}
// True in one thread of the block.
__device__ inline bool first_thread() { return threadIdx.x == 0; }

// ---- Sums: a few terms in float, then double, in a fixed order -------------------------------------------------------

template <int K> struct Totals {
    double k[K];
    __device__ double& operator[](int i) { return k[i]; }
    __device__ const double& operator[](int i) const { return k[i]; }
};

constexpr int CHUNK = 32;  // float terms added before they go into a wider sum: the error stays a few ulp

#if defined(SLTT_FAST)
// K column sums of the rows [r0, r1) and channels [c_begin, c_end) of a (rows, channels) matrix: put(k, c, total).
template <int K, int P, class F, class Put>
inline void add_up_rows(int64_t r0, int64_t r1, int c_begin, int c_end, int channels, const PerChannel<P>& parameters, const Dropout& d, F& f, Put put) {
    bool whole = c_begin == 0 && c_end == channels;  // only whole rows lie side by side
    int group = whole ? rows_in_tile(channels, r1 - r0) : 1;
    ParameterTile<P> own;
    MaskTile masks;
    for (int c0 = c_begin; c0 < c_end; c0 += TILE) {
        int width = c_end - c0 < TILE ? c_end - c0 : TILE, columns = width * group;
        alignas(64) float sum[K][TILE];
        alignas(64) double total[K][TILE];
        own.fill(parameters, c0, width, group);
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < columns; ++j) total[k][j] = 0.0;
        for (int64_t chunk = r0; chunk < r1; chunk += (int64_t)CHUNK * group) {
            int64_t end = chunk + (int64_t)CHUNK * group < r1 ? chunk + (int64_t)CHUNK * group : r1;
            for (int k = 0; k < K; ++k)
                for (int j = 0; j < columns; ++j) sum[k][j] = 0.0f;
            for (int64_t r = chunk; r < end; r += group) {
                int64_t base = r * channels + c0;
                int count = (int)(end - r < group ? end - r : group) * width;
                const float* mask = masks.of(d, base, count);
                SLTT_IVDEP
                for (int j = 0; j < count; ++j) {
                    Packs<K, 1> term = f(Lanes<1>{}, base + j, own.at(j), Pack<1>{{mask[j]}});
                    for (int k = 0; k < K; ++k) sum[k][j] += term.k[k].v[0];
                }
            }
            for (int k = 0; k < K; ++k)
                for (int j = 0; j < columns; ++j) total[k][j] += (double)sum[k][j];
        }
        for (int k = 0; k < K; ++k)
            for (int c = 0; c < width; ++c) {
                double all = 0.0;
                for (int g = 0; g < group; ++g) all += total[k][g * width + c];
                put(k, c0 + c, all);
            }
    }
}
#else
// K column sums over the rows part, part + parts, ... by the block's threads: tiles `widest` packs wide, tile number
// group, group + groups, ... Calls put(k, c, total) once for each sum.
template <int K, int V, int P, class F, class Put>
__device__ inline void add_up_rows(int64_t rows, int channels, int part, int parts, int group, int groups, int widest, const PerChannel<P>& parameters,
                                   const Dropout& d, F& f, Put put) {
    constexpr int AT_ONCE = V < 4 ? V : 4;
    __shared__ float scratch[AT_ONCE * MAX_BLOCK];
    int packs = channels / V, threads = (int)blockDim.x, t = (int)threadIdx.x;
    int wide = packs < widest ? packs : widest;  // threads side by side over channels
    if (wide > threads) wide = threads;
    int deep = threads / wide;  // threads over rows
    int tx = t % wide, ty = t / wide;
    for (int tile = group * wide; tile < packs; tile += groups * wide) {
        Packs<K, V> sum;
        for (int k = 0; k < K; ++k) sum.k[k] = splat<V>(0.0f);
        if (ty < deep && tile + tx < packs) {
            int c = (tile + tx) * V;
            Packs<P, V> own = load_parameters<V>(parameters, c);
            int64_t stride = (int64_t)parts * deep;
            for (int64_t chunk = (int64_t)part * deep + ty; chunk < rows; chunk += CHUNK * stride) {
                int64_t end = chunk + CHUNK * stride < rows ? chunk + CHUNK * stride : rows;
                Packs<K, V> few;
                for (int k = 0; k < K; ++k) few.k[k] = splat<V>(0.0f);
                for (int64_t r = chunk; r < end; r += stride) {
                    int64_t i = r * channels + c;
                    Packs<K, V> term = f(Lanes<V>{}, i, own, dropout_mask<V>(d, i));
                    for (int k = 0; k < K; ++k)
                        for (int l = 0; l < V; ++l) few.k[k].v[l] += term.k[k].v[l];
                }
                for (int k = 0; k < K; ++k)
                    for (int l = 0; l < V; ++l) sum.k[k].v[l] += few.k[k].v[l];
            }
        }
        for (int k = 0; k < K; ++k)
            for (int l0 = 0; l0 < V; l0 += AT_ONCE) {
                __syncthreads();
                for (int l = 0; l < AT_ONCE; ++l) scratch[l * threads + t] = sum.k[k].v[l0 + l];
                __syncthreads();
                for (int o = t; o < AT_ONCE * wide; o += threads) {
                    int l = o / wide, x = o % wide;
                    double total = 0.0;
                    for (int y = 0; y < deep; ++y) total += (double)scratch[l * threads + y * wide + x];
                    if (tile + x < packs) put(k, (tile + x) * V + l0 + l, total);
                }
            }
    }
}
#endif

// Column sums, first stage: K sums for each channel over the block's rows.
// f(lanes, i, parameters, mask), as in for_rows_channels, returns Packs<K, V>: the K terms of V elements; it may also write.
// partials (gridDim.x, K, channels), double; every entry is written. finish_sums adds the blocks.
template <int K, class T, int P, class F>
__device__ inline void sum_rows(double* partials, int64_t rows, int channels, PerChannel<P> parameters, Dropout d, F f) {
    double* mine = partials + (int64_t)blockIdx.x * K * channels;
    auto put = [=](int k, int c, double total) { mine[(int64_t)k * channels + c] = total; };
#if defined(SLTT_FAST)
    Share s = block_share(rows, 1);
    add_up_rows<K>(s.begin, s.end, 0, channels, channels, parameters, d, f, put);
#else
    constexpr int V = pack_width<T>;
    int part = (int)blockIdx.x, parts = (int)gridDim.x;
    if (channels % V == 0) add_up_rows<K, V>(rows, channels, part, parts, 0, 1, MAX_BLOCK, parameters, d, f, put);
    else add_up_rows<K, 1>(rows, channels, part, parts, 0, 1, MAX_BLOCK, parameters, d, f, put);
#endif
}

// Column sums in one stage: each block has its own channels and all rows; put(k, c, total) once for each sum. For matrices
// of few rows; the sums do not depend on the grid.
template <int K, class T, class F, class Put> __device__ inline void sum_columns(int64_t rows, int channels, F f, Put put) {
#if defined(SLTT_FAST)
    Share s = block_share(channels, 16);
    if (s.begin < s.end) add_up_rows<K>(0, rows, (int)s.begin, (int)s.end, channels, PerChannel<0>{}, no_dropout(), f, put);
#else
    constexpr int V = pack_width<T>;
    int group = (int)blockIdx.x, groups = (int)gridDim.x;
    if (channels % V == 0) add_up_rows<K, V>(rows, channels, 0, 1, group, groups, 2, PerChannel<0>{}, no_dropout(), f, put);
    else add_up_rows<K, 1>(rows, channels, 0, 1, group, groups, 16, PerChannel<0>{}, no_dropout(), f, put);
#endif
}

// Column sums, second stage: f(c, totals) once for each channel, totals[k] the sum over the parts of partials (parts, K, channels).
template <int K, class F> __device__ inline void finish_sums(const double* partials, int parts, int channels, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(channels, 8);
    for (int64_t c = s.begin; c < s.end; ++c) {
        Totals<K> total;
        for (int k = 0; k < K; ++k) {
            total.k[k] = 0.0;
            for (int b = 0; b < parts; ++b) total.k[k] += partials[((int64_t)b * K + k) * channels + c];
        }
        f((int)c, total);
    }
#else
    // 32 channels side by side, the other threads over the parts: a long column of parts is latency, not work.
    __shared__ double scratch[MAX_BLOCK];
    int threads = (int)blockDim.x, t = (int)threadIdx.x, wide = threads < 32 ? threads : 32, deep = threads / wide;
    int tx = t % wide, ty = t / wide;
    for (int tile = (int)blockIdx.x * wide; tile < channels; tile += (int)gridDim.x * wide) {
        int c = tile + tx;
        Totals<K> total;
        for (int k = 0; k < K; ++k) {
            double sum = 0.0;
            if (c < channels && ty < deep)
                for (int b = ty; b < parts; b += deep) sum += partials[((int64_t)b * K + k) * channels + c];
            __syncthreads();
            scratch[t] = sum;
            __syncthreads();
            total.k[k] = 0.0;
            if (ty == 0)
                for (int y = 0; y < deep; ++y) total.k[k] += scratch[y * wide + tx];
        }
        if (ty == 0 && c < channels) f(c, total);
    }
#endif
}

// Sum of x over the block's threads, the same value in all of them; every thread calls it. Fixed order.
__device__ inline double block_sum(double x) {
#if defined(SLTT_FAST)
    return x;
#else
    __shared__ double scratch[MAX_BLOCK];
    int n = (int)blockDim.x, t = (int)threadIdx.x;
    __syncthreads();
    scratch[t] = x;
    for (int width = 1; width < n; width *= 2) {
        __syncthreads();
        if (t % (2 * width) == 0 && t + width < n) scratch[t] += scratch[t + width];
    }
    __syncthreads();
    return scratch[0];
#endif
}
// Largest x over the block's threads, the same value in all of them; every thread calls it.
__device__ inline float block_max(float x) {
#if defined(SLTT_FAST)
    return x;
#else
    __shared__ float scratch[MAX_BLOCK];
    int n = (int)blockDim.x, t = (int)threadIdx.x;
    __syncthreads();
    scratch[t] = x;
    for (int width = 1; width < n; width *= 2) {
        __syncthreads();
        if (t % (2 * width) == 0 && t + width < n) scratch[t] = scratch[t] > scratch[t + width] ? scratch[t] : scratch[t + width];
    }
    __syncthreads();
    return scratch[0];
#endif
}
// K sums over j in [0, n) by the block's threads, in all of them; f(j) returns Packs<K, 1>. Every thread calls it.
template <int K, class F> __device__ inline Totals<K> block_sums(int n, F f) {
    Totals<K> total;
    for (int k = 0; k < K; ++k) total.k[k] = 0.0;
#if defined(SLTT_FAST)
    constexpr int W = 16;
    for (int begin = 0; begin < n; begin += W * CHUNK) {
        int end = begin + W * CHUNK < n ? begin + W * CHUNK : n;
        alignas(64) float sum[K][W] = {};
        int j = begin;
        for (; j + W <= end; j += W) {
            SLTT_IVDEP
            for (int l = 0; l < W; ++l) {
                Packs<K, 1> term = f(j + l);
                for (int k = 0; k < K; ++k) sum[k][l] += term.k[k].v[0];
            }
        }
        for (int l = 0; j + l < end; ++l) {
            Packs<K, 1> term = f(j + l);
            for (int k = 0; k < K; ++k) sum[k][l] += term.k[k].v[0];
        }
        for (int k = 0; k < K; ++k)
            for (int l = 0; l < W; ++l) total.k[k] += (double)sum[k][l];
    }
#else
    for (int j = (int)threadIdx.x; j < n; j += (int)blockDim.x) {
        Packs<K, 1> term = f(j);
        for (int k = 0; k < K; ++k) total.k[k] += (double)term.k[k].v[0];
    }
    for (int k = 0; k < K; ++k) total.k[k] = block_sum(total.k[k]);
#endif
    return total;
}

}  // namespace SLTT_VARIANT
