// What differs between steps and iterations, read from device memory.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace sltt {

struct RunState {
    // Written by the host before each iteration (24 bytes).
    float lr;            // learning rate of the update that ends this iteration
    int32_t t;           // time step; advance_step moves it on
    uint64_t seed;       // seed of the run
    uint64_t iteration;  // counts training iterations of the run; with seed and layer it names a dropout mask
    // Kept by the device (40 bytes).
    float loss_scale;                          // the loss is multiplied by it before backward; 1 without AMP float16
    float grad_scale;                          // 1 / loss_scale
    float bias_correction1, bias_correction2;  // 1 - beta^steps of AdamW
    int32_t overflow;                          // not 0: a gradient of this iteration is inf or nan
    int32_t good_steps;                        // updates since the loss scale last changed
    int64_t optimizer_steps;                   // updates made
    int64_t skipped_steps;                     // updates skipped for an overflow
};
constexpr int RUN_STATE_HOST_BYTES = 24;  // what the host writes before each iteration
static_assert(offsetof(RunState, loss_scale) == RUN_STATE_HOST_BYTES && sizeof(RunState) == 64, "the host copies whole fields");

}  // namespace sltt
