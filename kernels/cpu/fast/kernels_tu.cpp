// All kernels in the fast mode. CMakeLists.txt compiles this file once an instruction set, with kernels/cpu/fast/ before kernels/ on the
// include path.
#include "target.cuh"

namespace {
#include "kernels.cu"
#include "cpu/test_kernels.cu"
}  // namespace
