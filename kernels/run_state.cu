// begin_update, end_update, advance_step: update RunState (common/run_state.cuh) on the device, one thread each.
//
// begin_update, before the optimiser: without overflow, optimizer_steps += 1 and bias_correction = 1 - beta^optimizer_steps.
// end_update, after it, is torch.cuda.amp.GradScaler's rule (growth 2, backoff 0.5, growth_interval 2000):
//   overflow: skipped_steps += 1, good_steps = 0, and if dynamic loss_scale *= backoff
//   else:     good_steps += 1; at growth_interval, if dynamic: loss_scale *= growth (unless the result is inf), good_steps = 0
//   then grad_scale = 1/loss_scale, overflow = 0.
// advance_step: t += steps.
// Each reads and writes the 64 bytes of RunState.
#include "common/sltt.cuh"

namespace sltt {

__device__ inline void begin_update_body(RunState* state, float beta1, float beta2) {
    if (blockIdx.x != 0 || !first_thread() || state->overflow) return;
    state->optimizer_steps += 1;
    double steps = (double)state->optimizer_steps;
    state->bias_correction1 = (float)(1.0 - pow(as_decimal(beta1), steps));
    state->bias_correction2 = (float)(1.0 - pow(as_decimal(beta2), steps));
}

__device__ inline void end_update_body(RunState* state, int dynamic, float growth, float backoff, int growth_interval) {
    if (blockIdx.x != 0 || !first_thread()) return;
    if (state->overflow) {
        state->skipped_steps += 1;
        state->good_steps = 0;
        if (dynamic) state->loss_scale *= backoff;
    } else {
        state->good_steps += 1;
        if (dynamic && state->good_steps == growth_interval) {
            float grown = state->loss_scale * growth;
            if (is_finite(grown)) state->loss_scale = grown;
            state->good_steps = 0;
        }
    }
    state->grad_scale = 1.0f / state->loss_scale;
    state->overflow = 0;
}

__device__ inline void advance_step_body(RunState* state, int steps) {
    if (blockIdx.x == 0 && blockIdx.y == 0 && first_thread()) state->t += steps;
}

SLTT_KERNEL(begin_update, (RunState * state, float beta1, float beta2), begin_update_body(state, beta1, beta2))
SLTT_KERNEL(end_update, (RunState * state, int dynamic, float growth, float backoff, int growth_interval),
            end_update_body(state, dynamic, growth, backoff, growth_interval))
SLTT_KERNEL(advance_step, (RunState * state, int steps), advance_step_body(state, steps))

}  // namespace sltt
