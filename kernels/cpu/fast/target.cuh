// The target is the CPU device's fast mode: a block is one thread, blocks run on the cores in turn, and a pack is one vector register.
#pragma once
#include "cpu/cuda_words.h"
#include "cpu/kernel_host.h"
#include "cpu/simd.h"

#define SLTT_SUM_KERNEL SLTT_KERNEL
