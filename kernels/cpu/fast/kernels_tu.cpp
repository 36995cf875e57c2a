// All kernels in the fast mode. CMakeLists.txt compiles this file once an instruction set, with kernels/cpu/fast/ before kernels/ on the
// include path.
#include "target.cuh"

namespace {
#include "common/sltt.cuh"
#include "cpu/kernel_types.h"
#include "kernels.cu"
#include "cpu/test_kernels.cu"
}  // namespace
