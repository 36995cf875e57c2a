// The target is the CPU device's test mode: the kernels of kernels/gpu/ as they are, every CUDA thread of a block a fiber (faithful.h).
#pragma once
#include "cpu/cuda_words.h"
#include "cpu/faithful/faithful.h"
#include "cpu/kernel_host.h"

#define __shared__ static __attribute__((section("sltt_shared")))  // one block runs at a time; poisoned before each
#define SLTT_SUM_KERNEL SLTT_KERNEL
#define SLTT_UNROLL  // a test mode: loops stay loops

// What gpu/memory.cuh reads 16 bytes with. A cache hint has no effect here.
struct __attribute__((aligned(16), may_alias)) uint4 { unsigned x, y, z, w; };
static inline uint4 __ldcs(const uint4* p) { return *p; }
static inline void __stcs(uint4* p, const uint4& value) { *p = value; }
