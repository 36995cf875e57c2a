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
// Defines the kernel `name` with C linkage; `params` is its parenthesised parameter list, the body follows as a call.
#define SLTT_KERNEL(name, params, ...) \
    extern "C" __global__ void name params { __VA_ARGS__; }
#else
#include <math.h>
#include <stdint.h>
#include "../cpu/kernel_host.h"  // __device__ & co., threadIdx & co., SLTT_KERNEL: registers a trampoline by name
#define SLTT_IVDEP _Pragma("GCC ivdep")
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
#else
using f16 = _Float16;
struct bf16 { uint16_t bits; };
__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(f16 x) { return (float)x; }
__device__ inline float to_float(bf16 x) {
    uint32_t u = (uint32_t)x.bits << 16;
    float f;
    __builtin_memcpy(&f, &u, 4);
    return f;
}
template <class T> __device__ inline T from_float(float x);
template <> __device__ inline float from_float<float>(float x) { return x; }
template <> __device__ inline f16 from_float<f16>(float x) { return (f16)x; }
template <> __device__ inline bf16 from_float<bf16>(float x) {  // round to nearest even; NaN stays NaN
    uint32_t u;
    __builtin_memcpy(&u, &x, 4);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    uint32_t nan = (u >> 16) | 0x40u;
    return bf16{(uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded)};
}
#endif

// One variant of a kernel for each number type: SLTT_FOR_EACH_TYPE(VARIANT) calls VARIANT(T, suffix).
#define SLTT_FOR_EACH_TYPE(VARIANT) VARIANT(f32, f32) VARIANT(f16, f16) VARIANT(bf16, bf16)

// ---- Packs: V neighbouring elements, computed in float ---------------------------------------------------------------

template <int V> struct Lanes { static constexpr int value = V; };
template <int V> struct Pack {
    float v[V];
    __device__ float& operator[](int k) { return v[k]; }
    __device__ const float& operator[](int k) const { return v[k]; }
};

// Elements in 16 bytes.
template <class T> constexpr int pack_width() { return 16 / (int)sizeof(T); }

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

// ---- Shares of work --------------------------------------------------------------------------------------------------

#if defined(SLTT_FAST)
// The block's contiguous share [begin, end) of n items, cut at multiples of `unit`.
struct Share { int64_t begin, end; };
inline Share block_share(int64_t n, int64_t unit) {
    int64_t units = (n + unit - 1) / unit, blocks = gridDim.x, b = blockIdx.x;
    int64_t begin = units * b / blocks * unit, end = units * (b + 1) / blocks * unit;
    return {begin, end < n ? end : n};
}
#endif

// f(lanes, i) for every element i in [0, n): lanes.value elements from i on. T: the widest-packed type accessed.
template <class T, class F> __device__ inline void for_elements(int64_t n, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(n, 64);
    SLTT_IVDEP
    for (int64_t i = s.begin; i < s.end; ++i) f(Lanes<1>{}, i);
#else
    constexpr int V = pack_width<T>();
    int64_t packs = n / V, stride = (int64_t)gridDim.x * blockDim.x, first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    for (int64_t p = first; p < packs; p += stride) f(Lanes<V>{}, p * V);
    for (int64_t i = packs * V + first; i < n; i += stride) f(Lanes<1>{}, i);
#endif
}

#if !defined(SLTT_FAST)
template <int V, class F> __device__ inline void for_packs_of_rows(int64_t rows, int channels, F& f) {
    int64_t packs = rows * channels / V, stride = (int64_t)gridDim.x * blockDim.x;
    int64_t p = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    int c = (int)(p * V % channels), step = (int)(stride * V % channels);
    for (; p < packs; p += stride) {
        f(Lanes<V>{}, p * V, c);
        c += step;
        if (c >= channels) c -= channels;
    }
}
#endif

// f(lanes, i, c) for every element i = row * channels + c of a (rows, channels) matrix, NHWC with rows = N*H*W.
template <class T, class F> __device__ inline void for_rows_channels(int64_t rows, int channels, F f) {
#if defined(SLTT_FAST)
    Share s = block_share(rows, 1);
    for (int64_t r = s.begin; r < s.end; ++r) {
        int64_t base = r * channels;
        SLTT_IVDEP
        for (int c = 0; c < channels; ++c) f(Lanes<1>{}, base + c, c);
    }
#else
    constexpr int V = pack_width<T>();
    if (channels % V == 0) for_packs_of_rows<V>(rows, channels, f);
    else for_packs_of_rows<1>(rows, channels, f);
#endif
}

// ---- Sums ------------------------------------------------------------------------------------------------------------

template <int K, int V> struct Terms { Pack<V> k[K]; };

#if !defined(SLTT_FAST)
template <int K, int V, class F> __device__ inline void sum_rows_packed(double* partials, int64_t rows, int channels, F& f) {
    __shared__ float scratch[MAX_BLOCK];
    int packs = channels / V, threads = (int)blockDim.x, t = (int)threadIdx.x;
    int wide = packs < threads ? packs : threads;  // threads side by side over channels
    int deep = threads / wide;                     // threads over rows
    int tx = t % wide, ty = t / wide;
    for (int tile = 0; tile < packs; tile += wide) {
        int c = (tile + tx) * V;
        bool mine = ty < deep && tile + tx < packs;
        Terms<K, V> sum;
        for (int k = 0; k < K; ++k) sum.k[k] = splat<V>(0.0f);
        if (mine)
            for (int64_t r = (int64_t)blockIdx.x * deep + ty; r < rows; r += (int64_t)gridDim.x * deep) {
                Terms<K, V> term = f(Lanes<V>{}, r * channels + c, c);
                for (int k = 0; k < K; ++k)
                    for (int l = 0; l < V; ++l) sum.k[k].v[l] += term.k[k].v[l];
            }
        for (int k = 0; k < K; ++k)
            for (int l = 0; l < V; ++l) {
                __syncthreads();
                scratch[t] = sum.k[k].v[l];
                __syncthreads();
                if (mine && ty == 0) {
                    double total = 0.0;
                    for (int y = 0; y < deep; ++y) total += scratch[y * wide + tx];
                    partials[((int64_t)blockIdx.x * K + k) * channels + c + l] = total;
                }
            }
    }
}
#endif

// Column sums, first stage: K sums for each channel over the block's rows.
// f(lanes, i, c) returns Terms<K, V>, the K terms of the elements from i = row * channels + c on; it may also write.
// partials (gridDim.x, K, channels), double; every entry is written. A second kernel adds the blocks in order.
template <int K, class T, class F> __device__ inline void sum_rows(double* partials, int64_t rows, int channels, F f) {
#if defined(SLTT_FAST)
    constexpr int TILE = 512, CHUNK = 32;  // float sums of at most CHUNK rows, then double: the error stays a few ulp
    Share s = block_share(rows, 1);
    for (int tile = 0; tile < channels; tile += TILE) {
        int width = channels - tile < TILE ? channels - tile : TILE;
        alignas(64) float sum[K][TILE];
        alignas(64) double total[K][TILE];
        for (int k = 0; k < K; ++k)
            for (int c = 0; c < width; ++c) total[k][c] = 0.0;
        for (int64_t r0 = s.begin; r0 < s.end; r0 += CHUNK) {
            int64_t r1 = r0 + CHUNK < s.end ? r0 + CHUNK : s.end;
            for (int k = 0; k < K; ++k)
                for (int c = 0; c < width; ++c) sum[k][c] = 0.0f;
            for (int64_t r = r0; r < r1; ++r) {
                int64_t base = r * channels + tile;
                SLTT_IVDEP
                for (int c = 0; c < width; ++c) {
                    Terms<K, 1> term = f(Lanes<1>{}, base + c, tile + c);
                    for (int k = 0; k < K; ++k) sum[k][c] += term.k[k].v[0];
                }
            }
            for (int k = 0; k < K; ++k)
                for (int c = 0; c < width; ++c) total[k][c] += (double)sum[k][c];
        }
        for (int k = 0; k < K; ++k)
            for (int c = 0; c < width; ++c) partials[((int64_t)blockIdx.x * K + k) * channels + tile + c] = total[k][c];
    }
#else
    constexpr int V = pack_width<T>();
    if (channels % V == 0) sum_rows_packed<K, V>(partials, rows, channels, f);
    else sum_rows_packed<K, 1>(partials, rows, channels, f);
#endif
}

// Second stage for one (k, channel): the blocks' partial sums in order.
__device__ inline double sum_partials(const double* partials, int parts, int sums, int k, int channels, int c) {
    double total = 0.0;
    for (int b = 0; b < parts; ++b) total += partials[((int64_t)b * sums + k) * channels + c];
    return total;
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

// ---- Random numbers: Philox4x32-10 (Salmon et al., SC 2011) ----------------------------------------------------------

struct Random4 { uint32_t x[4]; };

__device__ inline Random4 philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t seed) {
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}
// Uniform in [0, 1), 24 bits.
__device__ inline float uniform(uint32_t bits) { return (float)(bits >> 8) * (1.0f / 16777216.0f); }

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
// 0 or 1/(1-rate) for element i.
__device__ inline float dropout_mask(const Dropout& d, int64_t i) {
    if (d.rate <= 0.0f) return 1.0f;
    Random4 r = philox((uint32_t)(i >> 2), (uint32_t)(i >> 34) ^ (d.layer << 8), (uint32_t)d.iteration, (uint32_t)(d.iteration >> 32), d.seed);
    return uniform(r.x[i & 3]) >= d.rate ? d.scale : 0.0f;
}

// ---- Neuron ----------------------------------------------------------------------------------------------------------

__device__ inline float heaviside(float u, float v_th) { return u >= v_th ? 1.0f : 0.0f; }

// Surrogate derivative at z = u - v_th: 0 triangle max(0, 1-|z|); 1 rectangle [|z| <= 1/2]; 2 sigmoid, alpha = 4.
enum SurrogateKind { TRIANGLE = 0, RECTANGLE = 1, SIGMOID = 2 };
__device__ inline float surrogate(int kind, float z) {
    float a = z < 0.0f ? -z : z;
    if (kind == TRIANGLE) return a < 1.0f ? 1.0f - a : 0.0f;
    if (kind == RECTANGLE) return a <= 0.5f ? 1.0f : 0.0f;
    float s = 1.0f / (1.0f + expf(-4.0f * z));
    return 4.0f * s * (1.0f - s);
}

}  // namespace SLTT_VARIANT
