// fill: writes one word to a short array.
//
//   to[i] = value
//
// to (n), 32-bit words. Bytes: writes 4 a word. Overwrites to.
// Stands in for a captured graph's small memset nodes (SLTT_GRAPH_CLEARS=kernels).
#include "common/sltt.cuh"

namespace sltt {

SLTT_KERNEL(fill, (uint32_t* __restrict__ to, uint32_t value, int64_t n), for_items(n, [=](int64_t i) { to[i] = value; }))

}  // namespace sltt
