// spikes_pool: recomputes a layer's pooled spikes from its membrane potentials, for the weight gradient of the next convolution.
//
//   pooled = mean over a window of mask [u(t) >= v_th]
//
// u: (steps, rows, channels), NHWC, rows = N*H*W, `width` = W. pooled: (steps, rows / window^2, channels); windows and mask as in
// batch_norm_lif_pool_forward, and the same bits as that kernel wrote for the same u.
// Bytes an element of u (type of b bytes): reads u b; writes pooled b / window^2. Overwrites pooled.
#include "common/sltt.cuh"

namespace sltt {

template <class T>
__device__ inline void spikes_pool(T* pooled, const T* u, float v_th, Dropout drop, int steps, int64_t rows, int channels,
                                   Windows windows) {
    const int64_t n = rows * channels, pooled_n = rows / windows.pixels() * channels;
    for_steps(steps, [=](int step) {
        pool_rows<T>(
            rows, channels, windows, PerChannel<0>{}, drop,
            [=](auto lanes, int64_t i) { return fetch<decltype(lanes)::value>(u + step * n, i); },
            [=](auto, int64_t, const auto&, const auto& mask, const auto& in) { return mask * spike(from_memory(in), v_th); },
            [=](auto lanes, int64_t o, const auto& rate) { store<decltype(lanes)::value>(pooled + step * pooled_n, o, rate); });
    });
}

#define VARIANT(T, suffix)                                                                                                                 \
    SLTT_KERNEL(spikes_pool_##suffix,                                                                                                      \
                (T* __restrict__ pooled, const T* __restrict__ u, float v_th, float drop_rate, uint32_t drop_layer, const RunState* state, \
                 int steps, int64_t rows, int channels, int width, int window),                                                            \
                spikes_pool<T>(pooled, u, v_th, dropout(drop_rate, drop_layer, state), steps, rows, channels, {width, window}))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
