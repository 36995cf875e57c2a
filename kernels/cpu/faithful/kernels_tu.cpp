// All kernels in the faithful mode: kernels/cpu/faithful/ and kernels/gpu/ come before kernels/ on the include path.
#include "target.cuh"

namespace {
#include "common/sltt.cuh"
#include "cpu/kernel_types.h"
#include "kernels.cu"
#include "cpu/faithful/guards.cu"
#include "cpu/test_kernels.cu"
#include "cpu/faithful/test_kernels.cu"
}  // namespace
