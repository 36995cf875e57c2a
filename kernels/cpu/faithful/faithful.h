// Barriers, ballots and shuffles of the faithful mode: every CUDA thread of a block is a fiber that stops here until
// the others of its block or of its warp have come. Included by target.cuh.
#pragma once
#include <stdint.h>
#include <string.h>

namespace sltt_cpu::faithful {

enum class WarpOp : uint32_t { Sync, Ballot, Shuffle };

// Waits for every thread of the block that has not returned. `file` and `line` name the barrier: threads that meet at
// different ones are an error, as are threads that can never meet.
void barrier(const char* file, int line);

// Waits for the lanes named in `mask` (those that have not returned). Ballot: the bits of the lanes with value != 0.
// Shuffle: the value of lane `source` (0..31); a lane outside `mask` or that returned gives poison.
uint64_t warp(WarpOp op, unsigned mask, uint64_t value, int source, const char* file, int line);

int lane();
unsigned active_mask();

template <class T> inline T shuffle(unsigned mask, T value, int source, const char* file, int line) {
    static_assert(sizeof(T) <= 8, "shuffles move at most 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    bits = warp(WarpOp::Shuffle, mask, bits, source, file, line);
    memcpy(&value, &bits, sizeof(T));
    return value;
}
// CUDA's rules: the warp is cut into segments of `width` lanes; a source outside the segment gives the lane its own.
inline int source_index(int index, int width) { return (lane() & ~(width - 1)) | (index & (width - 1)); }
inline int source_up(int delta, int width) {
    int source = lane() - delta;
    return source < (lane() & ~(width - 1)) ? lane() : source;
}
inline int source_down(int delta, int width) {
    int source = lane() + delta;
    return source > (lane() | (width - 1)) ? lane() : source;
}
inline int source_xor(int bits, int width) {
    int source = lane() ^ bits;
    return source > (lane() | (width - 1)) ? lane() : source;
}
inline int width_or_warp(int width = 32) { return width; }

}  // namespace sltt_cpu::faithful

#define SLTT_HERE __FILE__, __LINE__
#define SLTT_WIDTH(...) ::sltt_cpu::faithful::width_or_warp(__VA_ARGS__)
#define SLTT_WARP(op, mask, value) ::sltt_cpu::faithful::warp(::sltt_cpu::faithful::WarpOp::op, mask, value, 0, SLTT_HERE)
#define SLTT_SHUFFLE(mask, value, source) ::sltt_cpu::faithful::shuffle(mask, value, ::sltt_cpu::faithful::source, SLTT_HERE)
#define __syncthreads() ::sltt_cpu::faithful::barrier(SLTT_HERE)
#define __syncwarp(...) ((void)SLTT_WARP(Sync, ::sltt_cpu::faithful::mask_or_all(__VA_ARGS__), 0))
#define __activemask() ::sltt_cpu::faithful::active_mask()
#define __ballot_sync(mask, predicate) ((unsigned)SLTT_WARP(Ballot, mask, (predicate) ? 1 : 0))
#define __any_sync(mask, predicate) (__ballot_sync(mask, predicate) != 0 ? 1 : 0)
#define __all_sync(mask, predicate) (__ballot_sync(mask, !(predicate)) == 0 ? 1 : 0)
#define __shfl_sync(mask, value, index, ...) SLTT_SHUFFLE(mask, value, source_index(index, SLTT_WIDTH(__VA_ARGS__)))
#define __shfl_up_sync(mask, value, delta, ...) SLTT_SHUFFLE(mask, value, source_up((int)(delta), SLTT_WIDTH(__VA_ARGS__)))
#define __shfl_down_sync(mask, value, delta, ...) SLTT_SHUFFLE(mask, value, source_down((int)(delta), SLTT_WIDTH(__VA_ARGS__)))
#define __shfl_xor_sync(mask, value, bits, ...) SLTT_SHUFFLE(mask, value, source_xor(bits, SLTT_WIDTH(__VA_ARGS__)))

namespace sltt_cpu::faithful {
inline unsigned mask_or_all(unsigned mask = 0xffffffffu) { return mask; }
}  // namespace sltt_cpu::faithful
