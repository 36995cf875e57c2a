// guard_write: writes the pattern of a guard, n bytes behind a buffer of the arena; on the strict CPU device alone, with one thread.
// guard_check: compares a guard with its pattern; on the strict CPU device alone, with one thread.
//
// Of several violations the first one's number stays in *violated, which begins at 0. The pattern is a hash of each byte's address:
// neither a constant nor what lies behind another buffer matches it.
#include "common/sltt.cuh"

namespace sltt {

__device__ inline uint8_t guard_pattern(const uint8_t* at) { return (uint8_t)((uint64_t)(uintptr_t)at * 0x9E3779B97F4A7C15ull >> 56); }

__device__ inline void guard_write_body(uint8_t* guard, int64_t n) {
    for (int64_t i = 0; i < n; ++i) guard[i] = guard_pattern(guard + i);
}
SLTT_KERNEL(guard_write, (uint8_t* guard, int64_t n), guard_write_body(guard, n))

__device__ inline void guard_check_body(const uint8_t* guard, int64_t n, int32_t number, int32_t* violated) {
    for (int64_t i = 0; i < n; ++i)
        if (guard[i] != guard_pattern(guard + i) && *violated == 0) *violated = number;
}
SLTT_KERNEL(guard_check, (const uint8_t* guard, int64_t n, int32_t number, int32_t* violated), guard_check_body(guard, n, number, violated))

}  // namespace sltt
