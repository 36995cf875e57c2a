// One variant of all kernels. CMakeLists.txt compiles this file once a variant (SLTT_FAST or SLTT_FAITHFUL,
// SLTT_VARIANT and the instruction set).
#include "kernel_host.h"

#include <float.h>
#include <limits.h>

namespace {
#include "../common/sltt.cuh"
#include "kernel_types.h"
#include "../kernels.cu"
#include "test_kernels.cu"
}  // namespace
