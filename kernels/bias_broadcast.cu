// bias_broadcast: y[r][c] = bias[c]. A linear layer's product is added to it afterwards.
//
// y (rows, channels), bias (channels), float. Writes 4 bytes an element. Overwrites y.
#include "common/sltt.cuh"

namespace sltt {

__device__ inline void bias_broadcast_body(float* y, const float* bias, int rows, int channels) {
    specialise(bypasses_cache((int64_t)sizeof(float) * rows * channels), [&](auto bypass) {
        for_rows_channels<float>(rows, channels, PerChannel<1>{{bias}}, no_dropout(),
                                 [=](auto lanes, int64_t i, const auto& params, const auto&) {
                                     constexpr int V = decltype(lanes)::value;
                                     if (bypass) store<V, BYPASS>(y, i, params[0]);
                                     else store<V>(y, i, params[0]);
                                 });
        if (bypass) bypass_done();
    });
}

SLTT_KERNEL(bias_broadcast, (float* __restrict__ y, const float* __restrict__ bias, int rows, int channels),
            bias_broadcast_body(y, bias, rows, channels))

}  // namespace sltt
