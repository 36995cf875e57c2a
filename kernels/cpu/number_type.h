// How a number lies in memory. Apart from numbers.h, because loops compiled for one instruction set must see no inline function
// that other files see too: the linker keeps one copy of such a function, perhaps the one compiled for AVX-512.
#pragma once

namespace sltt_cpu {

enum class Number : int { Float, Half, Bfloat16 };

}  // namespace sltt_cpu
