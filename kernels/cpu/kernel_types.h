// The names of the kernels' struct types, for the list of signatures (kernel_list.cpp). Included by kernels_tu.cpp inside
// its anonymous namespace, between these types and the first kernel.
#pragma once

namespace SLTT_VARIANT {

static constexpr const char* type_name(const f16*) { return "f16"; }
static constexpr const char* type_name(const bf16*) { return "bf16"; }
static constexpr const char* type_name(const RunState*) { return "RunState"; }

}  // namespace SLTT_VARIANT
