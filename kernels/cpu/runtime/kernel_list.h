// Kernels' signatures as text.
#pragma once
#include <string>

#include "kernel_table.h"

namespace sltt_cpu {

// A JSON array of kernels: name, file, parameters (name, type, whether a pointer, whether const).
std::string signatures(const KernelEntry* const* begin, const KernelEntry* const* end);

}  // namespace sltt_cpu
